"""Spark, in this process's own machine or at the address of a master: tables, Parquet files and one SELECT."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from roi.readers.base import Connection, Shape
from roi.readers.embedded import Other, at_most

__all__ = ["Spark"]

_SETTINGS = {
    "spark.app.name": "roi",
    "spark.ui.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "4",  # results are small, and each task has its price
    "spark.sql.caseSensitive": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.log.level": "OFF",  # what it logs may repeat a cell
    "spark.ui.showConsoleProgress": "false",
}
_COUNT = count()


class Spark(Other):
    """A table, a Parquet file or what one SELECT gives, in Spark, opened through Ibis.

    One session serves a whole process: Spark has no more than one of its engines in it.
    """

    dialect = "spark"

    def __init__(
        self,
        address: str,
        *,
        table: str | None,
        sql: str | None,
        timeout: int,
        limit: int | None,
        folders: tuple[Path, ...],
    ) -> None:
        """Start it, and find the columns.

        Args:
            address: `spark://local`, `spark://local[4]`, or the address of a master.
            table: The table, or a Parquet file (or a folder of them) by its path, or
            sql: one SELECT.
            timeout: Seconds that a statement may take.
            limit: Rows that are looked at, for a preview; None looks at all.
            folders: Where a path may begin.

        Raises:
            ImportError: Where pyspark is not installed.
            FileNotFoundError: If a path leads to nothing.
        """
        import ibis
        from pyspark.sql import SparkSession

        name = address.split("://", 1)[1].strip("/") or "local"
        master = f"{name}[*]" if name == "local" else name if name.startswith("local[") else address
        builder = SparkSession.builder.master(master)
        for key, value in _SETTINGS.items():
            builder = builder.config(key, value)
        local = master.startswith("local[")
        if not local:
            builder = builder.config("spark.driver.host", os.environ.get("SPARK_LOCAL_IP", "127.0.0.1"))
        self.spark = builder.getOrCreate()
        self.spark.sparkContext.setLogLevel("OFF")
        backend = ibis.pyspark.connect(self.spark)
        path = _path(table, folders)
        if path is not None:
            sql, table = f"select * from parquet.`{path.as_posix()}`", None
        super().__init__(backend, table=table, sql=sql, timeout=timeout, limit=limit)
        body = sql.strip().rstrip(";") if sql is not None else f"select * from {_named(table or '')}"
        listed = ", ".join(f"c{i}" for i in range(len(self.columns)))
        self.rows = f"roi_rows_{next(_COUNT)}"
        cut = "" if limit is None else f" limit {limit}"
        self.spark.sql(f"select * from ({body}\n) as rows_({listed}){cut}").createOrReplaceTempView(self.rows)
        self.kinds = tuple(kind for _, kind in self.spark.table(self.rows).dtypes)

    def shapes(self) -> tuple[Shape | None, ...]:
        """What each column holds; None of a kind that nothing is made of."""
        return tuple("decimal" if k.startswith("decimal") else _SHAPES.get(k) for k in self.kinds)

    def fingerprint(self) -> str:
        """A sha256 over the columns, the number of rows and the sums of two 60-bit parts of each row's md5.

        Spark computes it in one scan, and three numbers come over.
        """
        cells = ", ".join(
            f"coalesce(concat(char_length(cast(c{i} as string)), ':', cast(c{i} as string)), '-')"
            for i in range(len(self.columns))
        )
        parts = ", ".join(
            f"cast(coalesce(sum(cast(conv(substr(h, {start}, 15), 16, 10) as decimal(38,0))), 0) as string)"
            for start in (1, 16)
        )
        (found,) = self.ask(
            f"select count(*), {parts} from (select md5(concat({cells})) as h from {self.rows})"
        )[1]
        told = "\n".join(["spark 1", *self.columns, *self.kinds])
        return hashlib.sha256(f"{told}\n{' '.join(map(str, found))}".encode()).hexdigest()

    def keep(self, keys: Mapping[str, str]) -> None:
        """Give the session the keys of pseudonyms, as its variables."""
        for name, key in keys.items():
            self.spark.sql(f"declare or replace variable key_{name} string default '{key}'")

    def ask(self, statement: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Names and rows of a small result."""
        with at_most(self.timeout, self.spark.sparkContext.cancelAllJobs):
            found = self.spark.sql(statement)
            return tuple(found.columns), [tuple(row) for row in found.collect()]

    def hold(self, query: str) -> str:
        """SELECT of a query's rows, which Spark works out once and keeps, in its memory or on its disks."""
        name = f"roi_held_{next(_COUNT)}"
        self.spark.sql(query).persist().createOrReplaceTempView(name)
        return f"select * from {name}"

    def release(self, query: str) -> None:
        """Forget what a query that `hold` gave selects from."""
        name = query.removeprefix("select * from ")
        if re.fullmatch(r"roi_held_[0-9]+", name):
            self.spark.catalog.uncacheTable(name)
            self.spark.catalog.dropTempView(name)

    def pull(self, con: Connection, table: str, names: Any) -> None:
        """Hand some columns to the engine, as texts c0, c1, … of a table of this name."""
        with at_most(self.timeout, self.spark.sparkContext.cancelAllJobs):
            super().pull(con, table, names)

    def close(self) -> None:
        """Nothing: the session is the process's, and ends with it."""


def _path(table: str | None, folders: tuple[Path, ...]) -> Path | None:
    """The file that a table's name means, if it is one."""
    if table is None or not (table.endswith(".parquet") or "/" in table):
        return None
    found = next((folder / table for folder in folders if (folder / table).exists()), None)
    if found is None:
        raise FileNotFoundError
    return found.resolve()


def _named(table: str) -> str:
    return ".".join("`" + part.replace("`", "``") + "`" for part in table.split("."))


_SHAPES: Mapping[str, Shape] = {
    "string": "text", "tinyint": "whole", "smallint": "whole", "int": "whole", "bigint": "whole",
    "float": "float", "double": "float", "boolean": "flag",
    "timestamp": "instant", "timestamp_ntz": "clock", "date": "day",
}  # fmt: skip
