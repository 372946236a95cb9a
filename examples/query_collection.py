"""Find the faces of a folder of photos, and ask the table for those that smile.

python examples/query_collection.py photos/ faces.parquet

Needs pyarrow and DuckDB: pip install ".[collection]" duckdb.
"""

import subprocess
import sys

import duckdb

if len(sys.argv) != 3:
    sys.exit(__doc__)
photos, table = sys.argv[1:]
done = subprocess.run([sys.executable, "-m", "rdrface", "annotate", photos, table], check=False)
if done.returncode:
    sys.exit(done.returncode)
smiling = """
    SELECT image, face_index, yaw, (mouthSmileLeft + mouthSmileRight) / 2 AS smile
    FROM read_parquet($table) WHERE smile > 0.3 ORDER BY smile DESC
"""
for image, face, yaw, smile in duckdb.execute(smiling, {"table": table}).fetchall():
    print(f"{image}: face {face}, yaw {yaw:.0f} degrees, smile {smile:.2f}")
