"""Our questions, written once in the embedded engine's language, put in that of another database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["translated"]


def translated(tree: Any, dialect: str) -> str:
    """A question of ours, parsed as DuckDB's, as text in another language.

    Args:
        tree: What was parsed; it is not changed.
        dialect: Of `tongue_of`.

    Returns:
        SQL with the same answer.
    """
    from sqlglot import ErrorLevel

    if dialect == "duckdb":
        return str(tree.sql(dialect="duckdb"))
    own = tree.copy()
    _name_subqueries(own)
    change = {"postgres": _to_postgres, "spark": _to_spark}[dialect]
    return str(own.transform(change).sql(dialect=dialect, unsupported_level=ErrorLevel.RAISE))


def _name_subqueries(tree: exp.Expression) -> None:
    """PostgreSQL wants a name for every SELECT behind `from`."""
    from sqlglot import exp

    for i, found in enumerate(tree.find_all(exp.Subquery)):
        if isinstance(found.parent, exp.From | exp.Join) and not found.alias:
            found.set("alias", exp.TableAlias(this=exp.to_identifier(f"q{i}_")))


def _inside(node: exp.Expression, change: Callable[[exp.Expression], exp.Expression]) -> exp.Expression:
    """What stands inside something that is replaced, which sqlglot does not look at again."""
    return node.copy().transform(change)


def _to_postgres(node: exp.Expression) -> exp.Expression:
    from sqlglot import exp

    _spread(node)

    if isinstance(node, exp.TryCast):
        kind = node.to
        sizes = [int(p.this.name) for p in kind.expressions]
        if not kind.is_type(exp.DType.DECIMAL) or len(sizes) != 2:
            raise ValueError("only decimals are tried")
        # Of a number: it either fits or is nothing.
        value = _inside(node.this, _to_postgres)
        rounded = exp.func("ROUND", value.copy(), exp.convert(sizes[1]))
        fits = exp.LT(this=exp.Abs(this=rounded), expression=exp.convert(10 ** (sizes[0] - sizes[1])))
        return exp.Case().when(fits, exp.Cast(this=value, to=kind.copy()))
    if isinstance(node, exp.Anonymous) and node.name.lower() == "getvariable":
        key = exp.Literal.string(f"roi.{node.expressions[0].name}")
        return exp.Anonymous(this="current_setting", expressions=[key])
    if (whole := _whole(node)) is not None:
        return whole
    if isinstance(node, exp.Anonymous) and node.name.lower() == "epoch_us":
        since = exp.Extract(this=exp.var("epoch"), expression=_inside(node.expressions[0], _to_postgres))
        return exp.cast(exp.Mul(this=since, expression=exp.Literal.number(1_000_000)), "bigint")
    if isinstance(node, exp.Anonymous) and node.name.lower() == "bit_count":
        bits = exp.Cast(
            this=_inside(node.expressions[0], _to_postgres),
            to=exp.DataType.build("bit(64)", dialect="postgres"),
        )
        return exp.Anonymous(this="bit_count", expressions=[bits])
    if isinstance(node, exp.SHA2):
        text = _inside(node.this, _to_postgres)
        raw = exp.Anonymous(this="convert_to", expressions=[text, exp.Literal.string("UTF8")])
        digest = exp.Anonymous(this="sha256", expressions=[raw])
        return exp.Anonymous(this="encode", expressions=[digest, exp.Literal.string("hex")])
    return node


def _whole(node: exp.Expression) -> exp.Expression | None:
    """A type of whole numbers that few databases have, as one that all have; None of any other."""
    from sqlglot import exp

    if not isinstance(node, exp.DataType):
        return None
    small = node.is_type(exp.DType.TINYINT, exp.DType.UTINYINT)
    return (
        exp.DataType.build("int" if small else "bigint") if small or node.is_type(exp.DType.UBIGINT) else None
    )


def _spread(node: exp.Expression) -> None:
    """Where a pair is looked for among pairs of a SELECT, these become its columns."""
    from sqlglot import exp

    found = node.args.get("query") if isinstance(node, exp.In) and isinstance(node.this, exp.Tuple) else None
    asked = found.this if isinstance(found, exp.Subquery) else found
    if (
        isinstance(asked, exp.Select)
        and len(asked.expressions) == 1
        and isinstance(asked.expressions[0], exp.Tuple)
    ):
        asked.set("expressions", asked.expressions[0].expressions)


def _spark_micros(time: exp.Expression) -> exp.Expression:
    from sqlglot import exp

    return exp.Anonymous(this="UNIX_MICROS", expressions=[exp.cast(_inside(time, _to_spark), "timestamptz")])


def _to_spark(node: exp.Expression) -> exp.Expression:
    from sqlglot import exp

    _spread(node)

    if isinstance(node, exp.Cast) and isinstance(node.this, exp.TimeToUnix):
        # It is rounded here, and cut there.
        seconds = exp.Anonymous(this="RINT", expressions=[_inside(node.this, _to_spark)])
        return exp.Cast(this=seconds, to=node.to.copy())
    if isinstance(node, exp.TimeToUnix):
        return exp.Div(this=_spark_micros(node.this), expression=exp.Literal.number("1000000.0D"))
    if isinstance(node, exp.Anonymous) and node.name.lower() == "epoch_us":
        return _spark_micros(node.expressions[0])
    if (whole := _whole(node)) is not None:
        return whole
    if isinstance(node, exp.PercentileCont):
        return exp.Anonymous(this="PERCENTILE", expressions=[_inside(node.this, _to_spark), node.expression])
    if isinstance(node, exp.PercentileDisc):
        order = exp.Order(expressions=[exp.Ordered(this=_inside(node.this, _to_spark), nulls_first=True)])
        share = exp.Anonymous(this="PERCENTILE_DISC", expressions=[node.expression.copy()])
        return exp.WithinGroup(this=share, expression=order)
    if isinstance(node, exp.Anonymous) and node.name.lower() == "timezone":
        zone, time = node.expressions
        if isinstance(time, exp.Anonymous) and time.name.lower() == "timezone":  # from UTC to a zone's clock
            naive = exp.cast(_inside(time.expressions[1], _to_spark), "timestamptz")
            return exp.Anonymous(this="FROM_UTC_TIMESTAMP", expressions=[naive, zone.copy()])
    if isinstance(node, exp.Anonymous) and node.name.lower() == "getvariable":
        return exp.column(node.expressions[0].name)
    return node
