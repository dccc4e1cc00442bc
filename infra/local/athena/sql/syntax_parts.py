"""Which parts of each kind of node its rule reads. Another part would change the meaning unseen, so it is refused."""

from sqlglot import exp

COMMON_PARTS = {"this", "expression", "expressions", "quoted"}
PARTS: dict[type[exp.Expr], set[str]] = {
    exp.Literal: {"this", "is_string"},
    exp.Column: {"this", "table", "db", "catalog"},
    exp.Interval: {"this", "unit"},
    exp.Between: {"this", "low", "high"},
    exp.In: {"this", "expressions", "query"},
    exp.Like: {"this", "expression", "negate"},
    exp.Escape: {"this", "expression"},
    exp.Case: {"this", "ifs", "default"},
    exp.If: {"this", "true", "false"},
    exp.Cast: {"this", "to", "format"},
    exp.TryCast: {"this", "to", "format", "safe"},
    exp.Trim: {"this", "expression", "position"},
    exp.Substring: {"this", "start", "length"},
    exp.StrPosition: {"this", "substr"},
    exp.AtTimeZone: {"this", "zone"},
    exp.Bracket: {"this", "expressions"},
    exp.ParseJSON: {"this", "is_literal"},
    exp.DPipe: {"this", "expression"},
    exp.Window: {"this", "partition_by", "order", "spec", "alias", "over"},
    exp.GroupConcat: {"this", "separator", "on_overflow"},
    exp.JSONValue: {"this", "path", "returning", "on_condition"},
    exp.JSONExtract: {"this", "expression", "option", "json_query", "quote", "on_condition"},
}
