// swift-tools-version: 6.2
import PackageDescription

// The module graph. An arrow list names everything a target may import; nothing else compiles
// (`--explicit-target-dependency-import-check error`), and ArchitectureTests read every import line.

let base = ["Vocabulary", "Tables", "Statistics", "Hashing"]
let reducers = ["Acquisition", "Labeling", "Datasets", "Training", "Rollout"]

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
    .treatWarning("DeprecatedDeclaration", as: .warning),
    // Tests run with the check; on the hot path of a release it costs as much as reading a name.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    // Forms and tables are generic, and run in other modules than their own.
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
    // A type that is found by its name at run time is looked for among all conformances of the program.
    .unsafeFlags(
        ["-Xfrontend", "-disable-concrete-type-metadata-mangled-name-accessors"],
        .when(configuration: .release)
    ),
]

func module(
    _ name: String,
    _ dependencies: [String] = [],
    resources: [Resource] = [],
    settings: [SwiftSetting] = []
) -> Target {
    .target(
        name: name,
        dependencies: dependencies.map { .init(stringLiteral: $0) },
        path: "Sources/\(name)",
        resources: resources,
        swiftSettings: swiftSettings + settings
    )
}

func executable(_ name: String, _ dependencies: [String]) -> Target {
    .executableTarget(
        name: name,
        dependencies: dependencies.map { .init(stringLiteral: $0) },
        path: "Sources/\(name)",
        swiftSettings: swiftSettings
    )
}

func system(_ name: String, _ package: String?, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/\(name)", pkgConfig: package, providers: [.apt([apt])])
}

func shim(_ name: String, linking libraries: [String]) -> Target {
    .target(
        name: name,
        path: "Sources/\(name)",
        cxxSettings: [.define("NDEBUG", .when(configuration: .release))],
        linkerSettings: (libraries + ["stdc++", "m"]).map { .linkedLibrary($0) }
    )
}

func tests(
    _ name: String,
    _ dependencies: [String],
    exclude: [String] = [],
    resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies.map { .init(stringLiteral: $0) },
        path: "Tests/\(name)",
        exclude: exclude,
        resources: resources,
        swiftSettings: swiftSettings
    )
}

let package = Package(
    name: "flywheel",
    products: [
        .executable(name: "flywheel", targets: ["FlywheelCLI"]),
        .executable(name: "flywheel-bench", targets: ["FlywheelBench"]),
        .executable(name: "flywheel-fuzz", targets: ["FlywheelFuzz"]),
        .executable(name: "flywheel-fuzz-codecs", targets: ["FlywheelFuzzCodecs"]),
    ],
    dependencies: [],
    targets: [
        // 0  C
        system("Crdkafka", "rdkafka", apt: "librdkafka-dev"),
        system("CYAML", "yaml-0.1", apt: "libyaml-dev"),
        system("CMicroHTTPD", "libmicrohttpd", apt: "libmicrohttpd-dev"),
        system("Ccurl", "libcurl", apt: "libcurl4-openssl-dev"),
        system("Czstd", "libzstd", apt: "libzstd-dev"),
        system("CXXHash", "libxxhash", apt: "libxxhash-dev"),
        system("CCrypto", "libcrypto", apt: "libssl-dev"),
        shim("CSimdjson", linking: ["simdjson"]),
        shim("CBoostMath", linking: []),
        .target(name: "CSpawn", path: "Sources/CSpawn"),

        // 1  base
        module("Forms"),
        module("Vocabulary", ["Forms"]),
        module("Tables"),
        module("Statistics"),
        module("Learner", ["Statistics"]),
        module("Hashing", ["CXXHash", "CCrypto"]),
        module("Dates"),
        module("JSON", ["CSimdjson"]),
        module("Telemetry", ["Dates", "JSON"]),
        module("KafkaClient", ["Crdkafka"]),
        module("HTTPServer", ["CMicroHTTPD", "Telemetry"]),
        module("Configuration", ["CYAML"]),
        module("Storage"),
        module("Compression", ["Czstd"]),
        module("HTTPClient", ["Ccurl"]),
        module("Arguments"),
        module("Processes", ["CSpawn"]),

        // 2  kinds of answers
        module("Kinds", ["Forms", "Vocabulary", "Statistics"]),

        // 3  what samples are chosen by, without a state
        module("Strategies", ["Forms", "Hashing", "Kinds", "Statistics", "Tables", "Vocabulary"]),

        // 4  decisions
        module("Acquisition", ["Forms", "Hashing", "Kinds", "Statistics", "Strategies", "Tables", "Vocabulary"]),
        module("Labeling", ["Forms", "Kinds", "Vocabulary", "Tables"]),
        module("Datasets", ["Forms", "Kinds", "Vocabulary", "Tables"]),
        module("Training", ["Forms", "Kinds", "Vocabulary", "Tables", "Statistics"]),
        module("Rollout", ["Forms", "Hashing", "Kinds", "Vocabulary", "Tables", "Statistics"]),
        module(
            "Flywheel",
            [
                "Acquisition", "Datasets", "Forms", "Hashing", "Kinds", "Labeling", "Rollout", "Strategies", "Tables",
                "Training", "Vocabulary",
            ]
        ),

        // 5  wire, run
        module(
            "Events",
            [
                "Acquisition", "Datasets", "Dates", "Flywheel", "Forms", "Hashing", "JSON", "Kinds", "Labeling",
                "Rollout",
                "Strategies", "Tables", "Training", "Vocabulary",
            ]
        ),
        module("StreamRuntime"),
        module("ProjectFiles", ["Configuration", "Flywheel", "Forms", "JSON", "Telemetry"]),

        // 6  join
        module("KafkaTransport", ["StreamRuntime", "KafkaClient"]),
        module("S3", ["Dates", "Storage", "HTTPClient", "Hashing"]),

        // 7  the core of the services, and the services
        module(
            "EngineCore",
            [
                "Acquisition", "Events", "Flywheel", "Hashing", "JSON", "KafkaClient", "Kinds", "Processes", "Storage",
                "StreamRuntime", "Telemetry", "Vocabulary",
            ]
        ),
        module(
            "DatasetFiles",
            ["Compression", "EngineCore", "Events", "Hashing", "JSON", "S3", "Storage", "Vocabulary"]
        ),
        module(
            "Intake",
            [
                "Acquisition", "EngineCore", "Events", "Flywheel", "Hashing", "JSON", "Kinds", "Labeling", "Processes",
                "Rollout", "Strategies", "StreamRuntime", "Telemetry", "Training", "Vocabulary",
            ]
        ),
        module(
            "Loop",
            [
                "Acquisition", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing", "JSON", "Labeling", "Rollout",
                "Statistics", "Storage", "StreamRuntime", "Tables", "Telemetry", "Training", "Vocabulary",
            ]
        ),
        module(
            "Materializer",
            ["DatasetFiles", "EngineCore", "Events", "Hashing", "JSON", "Storage", "StreamRuntime", "Vocabulary"]
        ),
        module(
            "Trainer",
            [
                "DatasetFiles", "EngineCore", "Events", "Hashing", "JSON", "Learner", "S3", "Statistics", "Storage",
                "StreamRuntime", "Vocabulary",
            ]
        ),

        // 8  commands, worker
        module("DeadLetters", ["EngineCore", "Events", "Intake", "JSON", "Processes", "StreamRuntime", "Vocabulary"]),
        module(
            "Imports",
            [
                "Acquisition", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing", "Intake", "JSON", "Kinds",
                "Labeling", "Loop", "Processes", "StreamRuntime", "Tables", "Telemetry", "Vocabulary",
            ]
        ),
        module(
            "Operations",
            [
                "Acquisition", "DatasetFiles", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing", "Intake",
                "JSON", "KafkaClient", "Kinds", "Loop", "Materializer", "Processes", "Rollout", "Statistics",
                "Strategies", "StreamRuntime", "Tables", "Telemetry", "Training", "Vocabulary",
            ]
        ),
        module(
            "Worker",
            [
                "DatasetFiles", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing", "Intake", "JSON",
                "KafkaClient", "KafkaTransport", "Loop", "Materializer", "Processes", "S3", "Storage", "StreamRuntime",
                "Tables", "Telemetry", "Trainer", "Vocabulary",
            ]
        ),

        // 9  composition
        module("Console", ["EngineCore", "HTTPServer", "JSON", "Processes", "Telemetry", "Worker"]),
        module(
            "Demo",
            [
                "Acquisition", "DatasetFiles", "Datasets", "EngineCore", "Events", "Flywheel", "JSON", "KafkaClient",
                "KafkaTransport", "Labeling", "Learner", "Loop", "Operations", "Processes", "Rollout", "S3",
                "Statistics", "StreamRuntime", "Telemetry", "Training", "Vocabulary", "Worker",
            ],
            resources: [.copy("Resources")]
        ),

        // 10  executables
        executable(
            "FlywheelCLI",
            [
                "Acquisition", "Arguments", "Configuration", "Console", "DatasetFiles", "DeadLetters", "Demo",
                "EngineCore", "Events", "Flywheel", "Hashing", "Imports", "Intake", "JSON", "KafkaClient",
                "KafkaTransport", "Kinds", "Loop", "Operations", "Processes", "ProjectFiles", "S3", "Storage",
                "StreamRuntime", "Telemetry", "Vocabulary", "Worker",
            ]
        ),

        executable(
            "FlywheelBench",
            [
                "Acquisition", "Arguments", "DatasetFiles", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing",
                "Intake", "JSON", "KafkaClient", "KafkaTransport", "Kinds", "Labeling", "Learner", "Loop",
                "Materializer", "Operations", "Processes", "Rollout", "Statistics", "Storage", "Strategies",
                "StreamRuntime", "Tables", "Telemetry", "Trainer", "Training", "Vocabulary", "Worker",
            ]
        ),

        // test kits
        .target(name: "CAllocations", path: "Sources/CAllocations"),
        module("StreamTesting", ["StreamRuntime", "CAllocations"]),
        module("KafkaTesting", ["Crdkafka", "KafkaClient"]),
        module("S3Testing", ["Hashing", "HTTPClient", "Processes"]),

        module(
            "PipelineTesting",
            [
                "Acquisition", "DatasetFiles", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing", "Intake",
                "JSON", "Labeling", "Learner", "Loop", "Materializer", "Rollout", "S3", "S3Testing", "Statistics",
                "Storage", "Strategies", "StreamRuntime", "StreamTesting", "Trainer", "Training", "Vocabulary",
            ]
        ),
        module(
            "Fuzzing",
            [
                "Arguments", "Configuration", "Events", "Flywheel", "JSON", "Processes", "ProjectFiles", "Statistics",
                "Vocabulary",
            ],
            // It makes the inputs; what reads them keeps its assertions.
            settings: [.unsafeFlags(["-O"], .when(configuration: .debug))]
        ),

        // programs of tests
        executable("FlywheelFuzzCodecs", ["Fuzzing"]),
        executable(
            "FlywheelFuzz",
            [
                "Console", "DatasetFiles", "DeadLetters", "EngineCore", "Events", "Flywheel", "Fuzzing", "Intake",
                "JSON", "Loop", "Materializer", "Operations", "Processes", "Statistics", "Storage", "StreamRuntime",
                "StreamTesting", "Telemetry", "Trainer", "Vocabulary", "Worker",
            ]
        ),

        // tests
        tests("ArchitectureTests", ["Events"]),
        tests(
            "EventsTests",
            [
                "Acquisition", "Datasets", "Events", "Flywheel", "Forms", "JSON", "Kinds", "Labeling", "Rollout",
                "Statistics", "Strategies", "Training", "Vocabulary",
            ]
        ),
        tests("AcquisitionTests", ["Acquisition", "Statistics", "Strategies", "Tables", "Vocabulary"]),
        tests("LabelingTests", ["Labeling", "Statistics", "Tables", "Vocabulary"]),
        tests("DatasetsTests", ["Datasets", "Statistics", "Tables", "Vocabulary"]),
        tests("TrainingTests", ["Training", "Statistics", "Tables", "Vocabulary"]),
        tests(
            "RolloutTests",
            [
                "Acquisition", "Demo", "Hashing", "Kinds", "Learner", "Rollout", "Statistics", "Tables", "Vocabulary",
            ]
        ),
        tests(
            "FlywheelTests",
            [
                "Acquisition", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing", "JSON", "Kinds", "Labeling",
                "Loop", "Rollout", "Statistics", "Storage", "Strategies", "Tables", "Training", "Vocabulary",
            ],
            exclude: ["Golden"]
        ),
        tests("FormsTests", ["Forms"]),
        tests("VocabularyTests", ["Statistics", "Vocabulary"]),
        tests("KindsTests", ["Kinds", "Statistics", "Vocabulary"], resources: [.copy("Golden")]),
        tests("TablesTests", ["Statistics", "Tables"]),
        tests("StatisticsTests", ["Statistics", "CBoostMath"], resources: [.copy("Golden")]),
        tests("LearnerTests", ["Learner", "Statistics"], resources: [.copy("Golden")]),
        tests("HashingTests", ["Hashing"]),
        tests("TelemetryTests", ["Telemetry"]),
        tests("JSONTests", ["CSimdjson", "JSON", "Statistics"]),
        tests("ConsoleTests", ["Console", "EngineCore", "HTTPClient", "Processes", "Telemetry", "Worker"]),
        tests("HTTPServerTests", ["HTTPServer", "Processes"]),
        tests("ConfigurationTests", ["Configuration"]),
        tests("ProjectFilesTests", ["Configuration", "Events", "ProjectFiles"], resources: [.copy("Golden")]),
        tests("DatesTests", ["Dates"]),
        tests("StorageTests", ["Storage"]),
        tests(
            "StreamRuntimeTests",
            [
                "Events", "JSON", "PipelineTesting", "Statistics", "StreamRuntime", "StreamTesting", "Vocabulary",
            ]
        ),
        tests("CompressionTests", ["Compression", "Statistics"]),
        tests("HTTPClientTests", ["HTTPClient", "HTTPServer", "Processes"]),
        tests("S3Tests", ["Hashing", "HTTPClient", "S3", "S3Testing", "Storage"]),
        tests("ArgumentsTests", ["Arguments"]),
        tests("ProcessesTests", ["Processes"]),
        tests("MockClusterTests", ["KafkaClient", "KafkaTesting", "KafkaTransport", "StreamRuntime"]),
        tests("DemoTests", ["Demo"]),
        tests(
            "DocumentedExamplesTests",
            [
                "Dates",
                "Arguments", "Compression", "Configuration", "Events", "Flywheel", "Forms", "Hashing", "JSON", "Kinds",
                "Labeling", "Statistics", "Storage", "Strategies", "StreamRuntime", "StreamTesting", "Tables",
                "Vocabulary",
            ]
        ),
        tests(
            "FlywheelBenchTests",
            [
                "Acquisition", "Arguments", "EngineCore", "Events", "Flywheel", "FlywheelBench", "JSON", "Statistics",
                "Strategies", "Vocabulary",
            ]
        ),
        tests("BrokerTests", ["KafkaClient", "KafkaTesting", "KafkaTransport", "StreamRuntime"]),
        tests(
            "FlywheelCLITests",
            [
                "Arguments", "Configuration", "DeadLetters", "EngineCore", "Events", "FlywheelCLI", "Fuzzing", "JSON",
                "KafkaClient", "Processes", "S3", "Statistics", "StreamRuntime", "StreamTesting", "Telemetry",
                "Vocabulary", "Worker",
            ]
        ),
        tests("CommandBrokerTests", ["KafkaClient", "KafkaTesting", "Processes"]),
        tests("EndToEndTests", ["Demo", "Hashing", "KafkaClient", "KafkaTesting", "Processes"]),
        tests("ExamplesTests", ["KafkaTesting", "Processes"]),
        tests("ContractTests", ["KafkaClient", "KafkaTesting", "KafkaTransport", "StreamRuntime", "StreamTesting"]),
        tests(
            "EngineCoreTests",
            [
                "DeadLetters", "EngineCore", "Events", "Flywheel", "Intake", "JSON", "KafkaClient", "Loop",
                "Materializer", "Operations", "PipelineTesting", "StreamRuntime", "StreamTesting", "Trainer",
                "Vocabulary",
            ]
        ),
        tests(
            "DatasetFilesTests",
            [
                "Compression", "DatasetFiles", "EngineCore", "Events", "Flywheel", "Hashing", "JSON", "Materializer",
                "Operations", "PipelineTesting", "Rollout", "S3", "S3Testing", "Statistics", "Storage",
                "StreamRuntime", "StreamTesting", "Trainer", "Training", "Vocabulary", "Worker",
            ]
        ),
        tests(
            "IntakeTests",
            [
                "Acquisition", "Datasets", "DeadLetters", "EngineCore", "Events", "Flywheel", "Hashing", "Intake",
                "JSON", "Kinds", "Labeling", "Loop", "Operations", "PipelineTesting", "Rollout", "Statistics",
                "Strategies", "StreamRuntime", "StreamTesting", "Tables", "Telemetry", "Trainer", "Vocabulary",
            ],
            resources: [.copy("Golden")]
        ),
        tests(
            "LoopTests",
            [
                "Acquisition", "DatasetFiles", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing", "JSON",
                "Labeling", "Learner", "Loop", "Operations", "PipelineTesting", "Rollout", "Statistics", "Storage",
                "Strategies", "StreamRuntime", "StreamTesting", "Tables", "Telemetry", "Training", "Vocabulary",
                "Worker",
            ]
        ),
        tests(
            "MaterializerTests",
            [
                "DatasetFiles", "EngineCore", "Events", "Flywheel", "Hashing", "JSON", "Labeling", "Materializer",
                "PipelineTesting", "Processes", "S3", "S3Testing", "Storage", "StreamRuntime", "StreamTesting",
                "Trainer", "Vocabulary",
            ]
        ),
        tests(
            "TrainerTests",
            [
                "Acquisition", "DatasetFiles", "Datasets", "EngineCore", "Events", "Flywheel", "Hashing", "JSON",
                "Materializer", "Operations", "PipelineTesting", "Rollout", "Statistics", "Storage", "StreamRuntime",
                "StreamTesting", "Trainer", "Training", "Vocabulary",
            ]
        ),
        tests(
            "DeadLettersTests",
            [
                "DeadLetters", "EngineCore", "Events", "PipelineTesting", "StreamRuntime", "StreamTesting",
                "Vocabulary",
            ]
        ),
        tests(
            "ImportsTests",
            [
                "Acquisition", "DatasetFiles", "Datasets", "EngineCore", "Events", "Flywheel", "Imports", "JSON",
                "Loop", "Operations", "PipelineTesting", "StreamRuntime", "StreamTesting", "Tables", "Vocabulary",
            ]
        ),
        tests(
            "OperationsTests",
            [
                "Acquisition", "Datasets", "DeadLetters", "EngineCore", "Events", "Flywheel", "Hashing", "Intake",
                "JSON", "Kinds", "Learner", "Loop", "Materializer", "Operations", "PipelineTesting", "Rollout",
                "Statistics", "Storage", "Strategies", "StreamRuntime", "StreamTesting", "Tables", "Vocabulary",
            ]
        ),
        tests("StrategiesTests", ["Acquisition", "Statistics", "Strategies", "Vocabulary"]),
        tests(
            "PipelineTests",
            [
                "Acquisition", "DatasetFiles", "Datasets", "DeadLetters", "EngineCore", "Events", "Flywheel", "Intake",
                "JSON", "Kinds", "Labeling", "Loop", "Operations", "PipelineTesting", "Rollout", "Statistics",
                "Strategies", "StreamRuntime", "StreamTesting", "Tables", "Trainer", "Training", "Vocabulary",
            ]
        ),
        tests(
            "WorkerTests",
            [
                "EngineCore", "Events", "Intake", "KafkaClient", "Loop", "PipelineTesting", "S3", "S3Testing",
                "Storage", "StreamRuntime", "StreamTesting", "Telemetry", "Vocabulary", "Worker",
            ]
        ),
        tests(
            "FlywheelFuzzTests",
            [
                "Events", "FlywheelFuzz", "Fuzzing", "Processes", "Statistics", "StreamRuntime", "StreamTesting",
            ],
            exclude: ["README.md", "Regressions"]
        ),
    ],
    cxxLanguageStandard: .cxx17
)
