/// The module graph of the design: the modules of this package that each module may import. No other import is allowed.
///
/// `Package.swift` states the same edges; a test compares the two, so that neither changes alone.
enum ModuleGraph {
    static let base = ["Vocabulary", "Tables", "Statistics", "Hashing"]
    static let reducers = ["Acquisition", "Labeling", "Datasets", "Training", "Rollout"]
    static let kits = ["StreamTesting", "KafkaTesting", "S3Testing", "PipelineTesting", "Fuzzing"]
    /// Executables that are tests: they may import test kits, and no shipped module may import them.
    static let testPrograms = ["FlywheelFuzz", "FlywheelFuzzCodecs"]

    /// Roles of a worker.
    static let services = ["Intake", "Loop", "Materializer", "Trainer"]

    static let edges: [String: Set<String>] = [
        // base
        "Forms": [],
        "Vocabulary": ["Forms"],
        "Tables": [],
        "Statistics": [],
        "Learner": ["Statistics"],
        "Hashing": ["CXXHash", "CCrypto"],
        "Dates": [],
        "Telemetry": ["Dates", "JSON"],
        "KafkaClient": ["Crdkafka"],
        "JSON": ["CSimdjson"],
        "HTTPServer": ["CMicroHTTPD", "Telemetry"],
        "HTTPClient": ["Ccurl"],
        "Configuration": ["CYAML"],
        "Storage": [],
        "Compression": ["Czstd"],
        "Arguments": [],
        "Processes": ["CSpawn"],
        // kinds of answers
        "Kinds": ["Forms", "Vocabulary", "Statistics"],
        // selection strategies, which keep no state
        "Strategies": ["Forms", "Hashing", "Kinds", "Statistics", "Tables", "Vocabulary"],
        // decisions
        "Acquisition": ["Forms", "Hashing", "Kinds", "Statistics", "Strategies", "Tables", "Vocabulary"],
        "Labeling": ["Forms", "Kinds", "Vocabulary", "Tables"],
        "Datasets": ["Forms", "Kinds", "Vocabulary", "Tables"],
        "Training": ["Forms", "Kinds", "Vocabulary", "Tables", "Statistics"],
        "Rollout": ["Forms", "Hashing", "Kinds", "Vocabulary", "Tables", "Statistics"],
        "Flywheel": [
            "Acquisition", "Datasets", "Forms", "Hashing", "Kinds", "Labeling", "Rollout", "Strategies", "Tables",
            "Training", "Vocabulary",
        ],
        // wire formats, stream runtime
        "Events": [
            "Acquisition", "Datasets", "Dates", "Flywheel", "Forms", "Hashing", "JSON", "Kinds", "Labeling", "Rollout",
            "Strategies", "Tables", "Training", "Vocabulary",
        ],
        "StreamRuntime": [],
        "ProjectFiles": ["Configuration", "Flywheel", "Forms", "JSON", "Telemetry"],
        // adapters between the two
        "KafkaTransport": ["StreamRuntime", "KafkaClient"],
        "S3": ["Dates", "Storage", "HTTPClient", "Hashing"],
        // services import a small core, not one another
        "EngineCore": [
            "Acquisition", "Events", "Flywheel", "Hashing", "JSON", "KafkaClient", "Kinds", "Processes", "Storage",
            "StreamRuntime", "Telemetry", "Vocabulary",
        ],
        "DatasetFiles": ["Compression", "EngineCore", "Events", "Hashing", "JSON", "S3", "Storage", "Vocabulary"],
        "Intake": [
            "Acquisition", "EngineCore", "Events", "Flywheel", "Hashing", "JSON", "Kinds", "Labeling", "Processes",
            "Rollout", "Strategies", "StreamRuntime", "Telemetry", "Training", "Vocabulary",
        ],
        "Loop": [
            "Acquisition", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing", "JSON", "Labeling", "Rollout",
            "Statistics", "Storage", "StreamRuntime", "Tables", "Telemetry", "Training", "Vocabulary",
        ],
        "Materializer": [
            "DatasetFiles", "EngineCore", "Events", "Hashing", "JSON", "Storage", "StreamRuntime", "Vocabulary",
        ],
        "Trainer": [
            "DatasetFiles", "EngineCore", "Events", "Hashing", "JSON", "Learner", "S3", "Statistics", "Storage",
            "StreamRuntime", "Vocabulary",
        ],
        // what commands do, and the worker
        "DeadLetters": ["EngineCore", "Events", "Intake", "JSON", "Processes", "StreamRuntime", "Vocabulary"],
        "Imports": [
            "Acquisition", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing", "Intake", "JSON", "Kinds",
            "Labeling", "Loop", "Processes", "StreamRuntime", "Tables", "Telemetry", "Vocabulary",
        ],
        "Operations": [
            "Acquisition", "DatasetFiles", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing", "Intake", "JSON",
            "KafkaClient", "Kinds", "Loop", "Materializer", "Processes", "Rollout", "Statistics", "Strategies",
            "StreamRuntime", "Tables", "Telemetry", "Training", "Vocabulary",
        ],
        "Worker": [
            "DatasetFiles", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing", "Intake", "JSON", "KafkaClient",
            "KafkaTransport", "Loop", "Materializer", "Processes", "S3", "Storage", "StreamRuntime", "Tables",
            "Telemetry", "Trainer", "Vocabulary",
        ],
        // composition
        "Console": ["EngineCore", "HTTPServer", "JSON", "Processes", "Telemetry", "Worker"],
        "Demo": [
            "Acquisition", "DatasetFiles", "Datasets", "EngineCore", "Events", "Flywheel", "JSON", "KafkaClient",
            "KafkaTransport", "Labeling", "Learner", "Loop", "Operations", "Processes", "Rollout", "S3", "Statistics",
            "StreamRuntime", "Telemetry", "Training", "Vocabulary", "Worker",
        ],
        // executables
        "FlywheelCLI": [
            "Acquisition", "Arguments", "Configuration", "Console", "DatasetFiles", "DeadLetters", "Demo", "EngineCore",
            "Events", "Flywheel", "Hashing", "Imports", "Intake", "JSON", "KafkaClient", "KafkaTransport", "Kinds",
            "Loop", "Operations", "Processes", "ProjectFiles", "S3", "Storage", "StreamRuntime", "Telemetry",
            "Vocabulary", "Worker",
        ],
        "FlywheelBench": [
            "Acquisition", "Arguments", "DatasetFiles", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing",
            "Intake", "JSON", "KafkaClient", "KafkaTransport", "Kinds", "Labeling", "Learner", "Loop", "Materializer",
            "Operations", "Processes", "Rollout", "Statistics", "Storage", "Strategies", "StreamRuntime", "Tables",
            "Telemetry", "Trainer", "Training", "Vocabulary", "Worker",
        ],
        // test kits
        "StreamTesting": ["StreamRuntime", "CAllocations"],
        "KafkaTesting": ["Crdkafka", "KafkaClient"],
        "S3Testing": ["Hashing", "HTTPClient", "Processes"],
        "PipelineTesting": [
            "Acquisition", "DatasetFiles", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing", "Intake", "JSON",
            "Labeling", "Learner", "Loop", "Materializer", "Rollout", "S3", "S3Testing", "Statistics", "Storage",
            "Strategies", "StreamRuntime", "StreamTesting", "Trainer", "Training", "Vocabulary",
        ],
        "Fuzzing": [
            "Arguments", "Configuration", "Events", "Flywheel", "JSON", "Processes", "ProjectFiles", "Statistics",
            "Vocabulary",
        ],
        // programs of tests
        "FlywheelFuzzCodecs": ["Fuzzing"],
        "FlywheelFuzz": [
            "Console", "DatasetFiles", "DeadLetters", "EngineCore", "Events", "Flywheel", "Fuzzing", "Intake", "JSON",
            "Loop", "Materializer", "Operations", "Processes", "Statistics", "Storage", "StreamRuntime",
            "StreamTesting", "Telemetry", "Trainer", "Vocabulary", "Worker",
        ],
    ]

    /// The layers, lowest first. An edge leads to a lower layer; edges between modules of base are listed in
    /// `sideways`.
    static let layers: [[String]] = [
        cLibraries.keys.sorted(),
        base + [
            "Dates", "Forms", "Learner", "Telemetry", "KafkaClient", "JSON", "HTTPServer", "HTTPClient",
            "Configuration",
            "Storage", "Compression", "Arguments", "Processes",
        ],
        ["Kinds"],
        ["Strategies"],
        reducers,
        ["Flywheel"],
        ["Events", "StreamRuntime", "ProjectFiles"],
        ["KafkaTransport", "S3"],
        ["EngineCore"],
        ["DatasetFiles", "Intake", "Loop"],
        ["Materializer", "Trainer"],
        ["DeadLetters", "Imports", "Operations", "Worker"],
        ["Console", "Demo"],
        ["FlywheelCLI", "FlywheelBench"],
    ]

    /// Edges between modules of base, except those to Telemetry.
    static let sideways: [String: Set<String>] = [
        "Vocabulary": ["Forms"], "Learner": ["Statistics"], "Telemetry": ["Dates", "JSON"],
    ]

    /// Each C target, the only module that imports it (nil if only tests do), and the headers that it may include in
    /// addition to the standard library's.
    static let cLibraries: [String: (owner: String?, headers: [String])] = [
        "Crdkafka": ("KafkaClient", ["librdkafka/"]),
        "CYAML": ("Configuration", ["yaml.h"]),
        "CMicroHTTPD": ("HTTPServer", ["microhttpd.h", "netinet/in.h"]),
        "Ccurl": ("HTTPClient", ["curl/"]),
        "Czstd": ("Compression", ["zstd.h"]),
        "CXXHash": ("Hashing", ["xxhash.h"]),
        "CCrypto": ("Hashing", ["openssl/"]),
        "CSimdjson": ("JSON", ["simdjson.h"]),
        "CBoostMath": (nil, ["boost/math/"]),
        "CSpawn": ("Processes", ["spawn.h"]),
        "CAllocations": (nil, []),
    ]

    /// Modules of the toolchain.
    static let toolchain: Set<String> = ["Swift", "Foundation", "Glibc", "Darwin", "Dispatch", "Synchronization"]

    /// Modules whose results must not depend on clock, randomness or machine.
    static let deterministic =
        ["Forms", "Kinds", "Vocabulary", "Tables", "Statistics", "Strategies"] + reducers + ["Flywheel"]
}
