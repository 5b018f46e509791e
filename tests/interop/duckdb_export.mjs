// DuckDB reads what `boatswain export` writes: every line, its exact bytes and nanoseconds, and folders as columns.
// node duckdb_export.mjs PATH_OF_INTEROP_TOOL
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

const tool = process.argv[2];
const directory = mkdtempSync(join(tmpdir(), "boatswain-export-"));
const connection = await (await DuckDBInstance.create(":memory:")).connect();
const rows = async (query) => (await connection.runAndReadAll(query)).getRowsJson();

try {
    const tables = {
        ndjson: (files) => `read_json('${files}/**/*.ndjson.zst', hive_partitioning = true, union_by_name = true,
            columns = {time: 'VARCHAR', app: 'VARCHAR', stream: 'VARCHAR', message: 'VARCHAR', bytes_base64: 'VARCHAR',
                       gap: 'VARCHAR', gap_lines_min: 'UBIGINT'})`,
        csv: (files) => `read_csv('${files}/**/*.csv', hive_partitioning = true, all_varchar = true)`,
    };
    for (const [format, table] of Object.entries(tables)) {
        const files = join(directory, format);
        assert.equal(execFileSync(tool, ["export", files, format]).toString(), "4002");
        await connection.run(`create or replace view lines as select * from ${table(files)}`);
        assert.deepEqual(
            await rows(`select tenant, cast(date as varchar), cast(hour as integer), cast(count(message) as integer),
                        cast(count(gap) as integer) from lines group by all order by all`),
            ["acme", "globex"].flatMap((tenant) => [[tenant, "2026-11-23", 10, 1001, 1],
                                                    [tenant, "2026-11-23", 11, 1000, 0]]));
        assert.deepEqual(
            await rows(`select epoch_ns(cast(rtrim(time, 'Z') as timestamp_ns)) % 1000000000, message, stream
                        from lines where tenant = 'acme' and cast(hour as integer) = 11
                        order by 1 limit 2 offset 998`),
            [["998", 'line, "998"', "stdout"], ["999", 'line, "999"', "stdout"]]);
        assert.deepEqual(
            await rows("select distinct hex(from_base64(bytes_base64)) from lines where bytes_base64 is not null"),
            [["FF0121"]]);
        assert.deepEqual(
            await rows("select distinct gap, cast(gap_lines_min as integer) from lines where gap is not null"),
            [["rotated-away", 3]]);
    }
    console.log("@duckdb/node-api: every line, byte and nanosecond of an export is read, of NDJSON and CSV");
} finally {
    rmSync(directory, { recursive: true });
}
