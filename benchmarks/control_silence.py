def short():
    return []


def dropped():
    return []


def contradictions():
    return []
