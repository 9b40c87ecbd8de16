"""Example pilots: generated samples and the generator that wrote them."""
