CREATE VIEW onnx_model_aliases AS
SELECT m.name, m.alias, m.version, m.seq, m.previous_seq, m.moved_us
FROM onnx_model_alias_moves m
WHERE m.version IS NOT NULL
  AND m.seq = (SELECT MAX(l.seq) FROM onnx_model_alias_moves l WHERE l.name = m.name AND l.alias = m.alias);

CREATE VIEW onnx_model_versions AS
SELECT r.name, r.version,
       (SELECT string_agg(o.alias, ',')
        FROM (SELECT a.alias FROM onnx_model_aliases a
              WHERE a.name = r.name AND a.version = r.version ORDER BY a.alias) o) AS alias,
       r.status, r.created_us, r.task, r.source_format, r.variant, r.precision,
       r.artifact_path, r.artifact_bytes, r.use_count, r.row_count, r.last_used_us, r.error_count, r.last_error
FROM onnx_model_registry r;

CREATE TABLE fretsaw_schema (
        version    INTEGER NOT NULL PRIMARY KEY,
        name       TEXT    NOT NULL,
        applied_us INTEGER NOT NULL
    ) STRICT;

CREATE TABLE onnx_model_alias_moves (
    name         TEXT    NOT NULL,
    alias        TEXT    NOT NULL,
    seq          INTEGER NOT NULL CHECK (seq >= 1),
    version      INTEGER,                            -- NULL: the alias was taken off
    previous_seq INTEGER CHECK (previous_seq < seq), -- NULL: there is nothing to roll back to
    moved_us     INTEGER NOT NULL,
    cause        TEXT    NOT NULL CHECK (cause IN ('register', 'promote', 'rollback', 'archive')),
    PRIMARY KEY (name, alias, seq),
    FOREIGN KEY (name, version) REFERENCES onnx_model_registry (name, version)
) STRICT;

CREATE TABLE onnx_model_artifacts (
    sha256  TEXT NOT NULL PRIMARY KEY CHECK (length(sha256) = 64),
    content BLOB NOT NULL
) STRICT;

CREATE TABLE onnx_model_registry (
    name                     TEXT    NOT NULL,
    version                  INTEGER NOT NULL CHECK (version >= 1),
    status                   TEXT    NOT NULL CHECK (status IN ('active', 'archived')),
    created_us               INTEGER NOT NULL,
    created_by               TEXT,
    task                     TEXT    NOT NULL,
    -- Where it came from.
    source_format            TEXT    NOT NULL,
    source_framework_version TEXT,
    source_sha256            TEXT    NOT NULL CHECK (length(source_sha256) = 64),
    source_path              TEXT,
    source_bytes             INTEGER,
    parent_name              TEXT,
    parent_version           INTEGER,
    passes                   TEXT /* json */,
    -- What it is.
    variant                  TEXT    NOT NULL,
    precision                TEXT    NOT NULL,
    inputs                   TEXT /* json */,
    outputs                  TEXT /* json */,
    artifact_sha256          TEXT    NOT NULL CHECK (length(artifact_sha256) = 64),
    artifact_path            TEXT,
    artifact_bytes           INTEGER,
    -- How it is used; brought up to date once a batch of log rows, not once a request.
    use_count                INTEGER NOT NULL DEFAULT 0,
    row_count                INTEGER NOT NULL DEFAULT 0,
    last_used_us             INTEGER,
    error_count              INTEGER NOT NULL DEFAULT 0,
    last_error               TEXT,
    last_error_us            INTEGER,
    -- How it was chosen, and what it must keep answering.
    run_id                   TEXT,
    run_summary              TEXT /* json */,
    metadata                 TEXT /* json */,
    golden_rows              TEXT /* json */,
    reference_histograms     TEXT /* json */,
    PRIMARY KEY (name, version),
    FOREIGN KEY (parent_name, parent_version) REFERENCES onnx_model_registry (name, version)
) STRICT;

CREATE TABLE onnx_optimization_metrics (
    time_us               INTEGER NOT NULL,
    run_id                TEXT    NOT NULL,
    kind                  TEXT    NOT NULL CHECK (kind IN ('optimize', 'bench')),
    model_name            TEXT    NOT NULL,
    model_version         INTEGER,
    variant               TEXT    NOT NULL,
    precision             TEXT    NOT NULL,
    passes                TEXT /* json */,
    size_bytes            INTEGER,
    memory_bytes          INTEGER,
    load_ns               INTEGER,
    optimize_ns           INTEGER,
    -- The headline configuration; latency_by_batch holds all of them.
    batch_size            INTEGER,
    threads               INTEGER,
    latency_p50_ns        INTEGER,
    latency_p90_ns        INTEGER,
    latency_p99_ns        INTEGER,
    latency_p999_ns       INTEGER,
    latency_max_ns        INTEGER,
    throughput_rows_per_s REAL,
    latency_by_batch      TEXT /* json */,
    baseline_engine       TEXT,
    baseline_version      TEXT,
    speedup               REAL,
    rows_verified         INTEGER,
    max_error             REAL,
    mean_error            REAL,
    proved_bound          REAL,
    class_flips           INTEGER,
    metric_name           TEXT,
    metric_before         REAL,
    metric_after          REAL,
    chosen                INTEGER NOT NULL CHECK (chosen IN (0, 1)),
    reason                TEXT,
    fell_back_from        TEXT,
    fall_back_reason      TEXT,
    machine               TEXT /* json */,
    metadata              TEXT /* json */
) STRICT;

CREATE TABLE onnx_performance_logs (
    time_us            INTEGER NOT NULL,
    model_name         TEXT    NOT NULL,
    model_version      INTEGER,
    variant            TEXT,
    requested_provider TEXT,
    actual_provider    TEXT,
    request_id         TEXT,
    batch_size         INTEGER NOT NULL,
    queue_ns           INTEGER,
    compute_ns         INTEGER,
    total_ns           INTEGER NOT NULL,
    cpu_ns             INTEGER,
    resident_bytes     INTEGER,
    gpu_utilization    REAL,
    gpu_memory_bytes   INTEGER,
    status             TEXT    NOT NULL,
    error              TEXT,
    client             TEXT,
    trace_id           TEXT,
    metadata           TEXT /* json */
) STRICT;

CREATE INDEX onnx_model_alias_moves_version ON onnx_model_alias_moves (name, version);

CREATE INDEX onnx_model_registry_artifact ON onnx_model_registry (artifact_sha256);

CREATE UNIQUE INDEX onnx_model_registry_content
    ON onnx_model_registry (name, source_sha256, artifact_sha256) WHERE status = 'active';

CREATE INDEX onnx_optimization_metrics_model ON onnx_optimization_metrics (model_name, time_us);

CREATE INDEX onnx_optimization_metrics_run ON onnx_optimization_metrics (run_id);

CREATE INDEX onnx_optimization_metrics_time ON onnx_optimization_metrics (time_us);

CREATE INDEX onnx_performance_logs_model ON onnx_performance_logs (model_name, time_us);

CREATE INDEX onnx_performance_logs_time ON onnx_performance_logs (time_us);

