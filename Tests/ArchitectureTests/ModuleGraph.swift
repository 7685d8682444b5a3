/// The module graph of the design: what each module may import of ours. Nothing else is allowed.
///
/// `Package.swift` states the same edges; a test compares the two, so that neither changes alone.
enum ModuleGraph {
    static let base = ["Vocabulary", "Tables", "Statistics", "Hashing"]
    static let reducers = ["Acquisition", "Labeling", "Datasets", "Training", "Rollout"]
    static let kits = ["StreamTesting", "KafkaTesting", "S3Testing", "Fuzzing"]
    /// Executables that are tests: they may import kits, and nothing that is shipped may import them.
    static let testPrograms = ["FlywheelFuzz", "FlywheelFuzzCodecs"]

    static let edges: [String: Set<String>] = [
        // base
        "Forms": [],
        "Vocabulary": ["Forms"],
        "Tables": [],
        "Statistics": [],
        "Learner": ["Statistics"],
        "Hashing": ["CXXHash", "CCrypto"],
        "Telemetry": [],
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
        // decisions
        "Acquisition": Set(base + ["Forms", "Kinds"]),
        "Labeling": ["Forms", "Kinds", "Vocabulary", "Tables"],
        "Datasets": ["Forms", "Kinds", "Vocabulary", "Tables"],
        "Training": ["Forms", "Kinds", "Vocabulary", "Tables", "Statistics"],
        "Rollout": ["Forms", "Hashing", "Kinds", "Vocabulary", "Tables", "Statistics"],
        "Flywheel": Set(["Forms", "Kinds", "Vocabulary", "Tables", "Hashing"] + reducers),
        // wire, run
        "Events": Set(["Forms", "Kinds", "Vocabulary", "Tables", "Flywheel", "JSON", "Hashing"] + reducers),
        "StreamRuntime": [],
        "ProjectFiles": ["Forms", "Configuration", "Flywheel", "JSON", "Telemetry"],
        // join
        "KafkaTransport": ["StreamRuntime", "KafkaClient"],
        "S3": ["Storage", "HTTPClient", "Hashing"],
        // composition
        "Engine": Set(
            base + reducers + [
                "Compression", "Flywheel", "Events", "Kinds", "StreamRuntime", "KafkaTransport", "KafkaClient", "JSON",
                "Learner", "S3", "Storage", "Telemetry",
            ]
        ),
        "Console": ["Engine", "HTTPServer", "Telemetry", "JSON"],
        "Demo": Set(
            ["Vocabulary", "Statistics"] + reducers + [
                "Flywheel", "Events", "Engine", "StreamRuntime", "KafkaTransport", "KafkaClient", "JSON", "Learner",
                "Processes", "S3", "Telemetry",
            ]
        ),
        // executables
        "FlywheelCLI": [
            "Acquisition", "Arguments", "Configuration", "Console", "Demo", "Engine", "Events", "Flywheel",
            "Hashing", "JSON", "KafkaClient", "KafkaTransport", "Kinds", "Processes", "ProjectFiles", "S3", "Storage",
            "StreamRuntime", "Telemetry", "Vocabulary",
        ],
        "FlywheelBench": Set(
            base + reducers + [
                "Arguments", "Engine", "Events", "Flywheel", "JSON", "KafkaClient", "KafkaTransport", "Kinds",
                "Learner",
                "Processes", "Storage", "StreamRuntime", "Telemetry",
            ]
        ),
        // test kits
        "StreamTesting": ["StreamRuntime", "CAllocations"],
        "KafkaTesting": ["Crdkafka", "KafkaClient"],
        "S3Testing": ["Hashing", "HTTPClient", "Processes"],
        "Fuzzing": [
            "Arguments", "Configuration", "Events", "Flywheel", "JSON", "Processes", "ProjectFiles", "Statistics",
            "Vocabulary",
        ],
        // programs of tests
        "FlywheelFuzzCodecs": ["Fuzzing"],
        "FlywheelFuzz": [
            "Console", "Engine", "Events", "Flywheel", "Fuzzing", "JSON", "Processes", "Statistics", "Storage",
            "StreamRuntime", "StreamTesting", "Telemetry", "Vocabulary",
        ],
    ]

    /// The layers, lowest first. An edge leads down, never sideways but within base, where it is named in `sideways`.
    static let layers: [[String]] = [
        cLibraries.keys.sorted(),
        base + [
            "Forms", "Learner", "Telemetry", "KafkaClient", "JSON", "HTTPServer", "HTTPClient", "Configuration",
            "Storage", "Compression", "Arguments", "Processes",
        ],
        ["Kinds"],
        reducers,
        ["Flywheel"],
        ["Events", "StreamRuntime", "ProjectFiles"],
        ["KafkaTransport", "S3"],
        ["Engine"],
        ["Console", "Demo"],
        ["FlywheelCLI", "FlywheelBench"],
    ]

    /// Edges within base, beside those to Telemetry.
    static let sideways: [String: Set<String>] = ["Vocabulary": ["Forms"], "Learner": ["Statistics"]]

    /// Each C target, the one module that knows it (nil for tests alone), and the headers it may include beside the
    /// standard library's.
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

    /// Modules whose answers must not depend on clock, chance or machine.
    static let deterministic = ["Forms", "Kinds", "Vocabulary", "Tables", "Statistics"] + reducers + ["Flywheel"]
}
