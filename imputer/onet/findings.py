"""What every way of bringing occupations together gives: one finding per unit group and attribute."""

from __future__ import annotations

import pyarrow as pa

# - dispersion: 0..1, how alike the occupations are
# - agreement: 0..1, how alike what the two crosswalks give (null: one only), with the value by each
# - occupations: JSON, the rated occupations with their values; details: JSON, what else there is to know, or null
# - summary: how the value came about, in words; rows: where in the source table
FINDINGS = pa.schema(
    [
        ("unit_group", pa.string()),
        ("attribute_id", pa.string()),
        ("scale", pa.string()),
        ("value_number", pa.float64()),
        ("value_text", pa.string()),
        ("n_rated", pa.int32()),
        ("spread", pa.float64()),
        ("spread_kind", pa.string()),
        ("dispersion", pa.float64()),
        ("agreement", pa.float64()),
        ("first_value", pa.float64()),
        ("second_value", pa.float64()),
        ("n_suppressed", pa.int32()),
        ("n_not_relevant", pa.int32()),
        ("newest", pa.string()),
        ("occupations", pa.string()),
        ("details", pa.string()),
        ("summary", pa.string()),
        ("source_id", pa.string()),
        ("rows", pa.string()),
    ]
)
