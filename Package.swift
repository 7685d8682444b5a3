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
        module("Telemetry"),
        module("KafkaClient", ["Crdkafka"]),
        module("JSON", ["CSimdjson"]),
        module("HTTPServer", ["CMicroHTTPD", "Telemetry"]),
        module("Configuration", ["CYAML"]),
        module("Storage"),
        module("Compression", ["Czstd"]),
        module("HTTPClient", ["Ccurl"]),
        module("Arguments"),
        module("Processes", ["CSpawn"]),

        // 2  kinds of answers
        module("Kinds", ["Forms", "Vocabulary", "Statistics"]),

        // 3  decisions
        module("Acquisition", base + ["Forms", "Kinds"]),
        module("Labeling", ["Forms", "Kinds", "Vocabulary", "Tables"]),
        module("Datasets", ["Forms", "Kinds", "Vocabulary", "Tables"]),
        module("Training", ["Forms", "Kinds", "Vocabulary", "Tables", "Statistics"]),
        module("Rollout", ["Forms", "Hashing", "Kinds", "Vocabulary", "Tables", "Statistics"]),
        module("Flywheel", ["Forms", "Kinds", "Vocabulary", "Tables", "Hashing"] + reducers),

        // 4  wire, run
        module("Events", ["Forms", "Kinds", "Vocabulary", "Tables", "Flywheel", "JSON", "Hashing"] + reducers),
        module("StreamRuntime"),
        module("ProjectFiles", ["Forms", "Configuration", "Flywheel", "JSON", "Telemetry"]),

        // 5  join
        module("KafkaTransport", ["StreamRuntime", "KafkaClient"]),
        module("S3", ["Storage", "HTTPClient", "Hashing"]),

        // 6  composition
        module(
            "Engine",
            base + reducers + [
                "Compression", "Flywheel", "Events", "Kinds", "StreamRuntime", "KafkaTransport", "KafkaClient", "JSON",
                "Learner", "S3", "Storage", "Telemetry",
            ]
        ),
        module("Console", ["Engine", "HTTPServer", "Telemetry", "JSON"]),
        module(
            "Demo",
            ["Vocabulary", "Statistics"] + reducers + [
                "Flywheel", "Events", "Engine", "StreamRuntime", "KafkaTransport", "KafkaClient", "JSON", "Learner",
                "Processes", "S3", "Telemetry",
            ],
            resources: [.copy("Resources")]
        ),

        // 7  executables
        executable(
            "FlywheelCLI",
            [
                "Acquisition", "Arguments", "Configuration", "Console", "Demo", "Engine", "Events", "Flywheel",
                "Hashing", "JSON", "KafkaClient", "KafkaTransport", "Kinds", "Processes", "ProjectFiles", "S3",
                "Storage", "StreamRuntime", "Telemetry",
                "Vocabulary",
            ]
        ),

        executable(
            "FlywheelBench",
            base + reducers + [
                "Arguments", "Engine", "Events", "Flywheel", "JSON", "KafkaClient", "KafkaTransport", "Kinds",
                "Learner", "Processes", "Storage", "StreamRuntime", "Telemetry",
            ]
        ),

        // test kits
        .target(name: "CAllocations", path: "Sources/CAllocations"),
        module("StreamTesting", ["StreamRuntime", "CAllocations"]),
        module("KafkaTesting", ["Crdkafka", "KafkaClient"]),
        module("S3Testing", ["Hashing", "HTTPClient", "Processes"]),

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
                "Console", "Engine", "Events", "Flywheel", "Fuzzing", "JSON", "Processes", "Statistics", "Storage",
                "StreamRuntime", "StreamTesting", "Telemetry", "Vocabulary",
            ]
        ),

        // tests
        tests("ArchitectureTests", ["Events"]),
        tests("EventsTests", ["Events", "Flywheel", "Forms", "JSON", "Kinds", "Vocabulary"] + reducers),
        tests("AcquisitionTests", ["Acquisition", "Statistics", "Tables", "Vocabulary"]),
        tests("LabelingTests", ["Labeling", "Statistics", "Tables", "Vocabulary"]),
        tests("DatasetsTests", ["Datasets", "Statistics", "Tables", "Vocabulary"]),
        tests("TrainingTests", ["Training", "Statistics", "Tables", "Vocabulary"]),
        tests("RolloutTests", ["Acquisition", "Hashing", "Rollout", "Statistics", "Tables", "Vocabulary"]),
        tests(
            "ProjectStateTests",
            base + reducers + ["Engine", "Events", "Flywheel", "JSON", "Storage"],
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
        tests("HTTPServerTests", ["HTTPServer", "Processes"]),
        tests("ConfigurationTests", ["Configuration"]),
        tests("ProjectFilesTests", ["Configuration", "Events", "ProjectFiles"], resources: [.copy("Golden")]),
        tests("StorageTests", ["Storage"]),
        tests("CompressionTests", ["Compression", "Statistics"]),
        tests("HTTPClientTests", ["HTTPClient", "HTTPServer", "Processes"]),
        tests("S3Tests", ["Hashing", "HTTPClient", "S3", "S3Testing", "Storage"]),
        tests("ArgumentsTests", ["Arguments"]),
        tests("ProcessesTests", ["Processes"]),
        tests("MockClusterTests", ["KafkaClient", "KafkaTesting", "KafkaTransport", "StreamRuntime"]),
        tests("DemoTests", ["Demo"]),
        tests(
            "BenchTests",
            [
                "Acquisition", "Arguments", "Engine", "Events", "Flywheel", "FlywheelBench", "JSON", "Statistics",
                "Vocabulary",
            ]
        ),
        tests("BrokerTests", ["KafkaClient", "KafkaTesting", "KafkaTransport", "StreamRuntime"]),
        tests(
            "CommandTests",
            [
                "Configuration", "Engine", "Events", "FlywheelCLI", "JSON", "KafkaClient", "Processes", "S3",
                "StreamRuntime",
                "StreamTesting", "Telemetry",
                "Vocabulary",
            ]
        ),
        tests("CommandBrokerTests", ["KafkaClient", "KafkaTesting", "Processes"]),
        tests("EndToEndTests", ["Demo", "Hashing", "KafkaClient", "KafkaTesting", "Processes"]),
        tests("ExamplesTests", ["KafkaTesting", "Processes"]),
        tests("ContractTests", ["KafkaClient", "KafkaTesting", "KafkaTransport", "StreamRuntime", "StreamTesting"]),
        tests(
            "PipelineTests",
            base + reducers + [
                "Compression", "Engine", "Events", "Flywheel", "JSON", "KafkaClient", "Kinds", "Learner", "Processes",
                "S3",
                "S3Testing", "Storage", "StreamRuntime",
                "StreamTesting", "Telemetry",
            ],
            resources: [.copy("Golden")]
        ),
        tests(
            "FuzzTests",
            [
                "Arguments", "Events", "FlywheelCLI", "FlywheelFuzz", "Fuzzing", "Processes", "Statistics",
                "StreamRuntime",
                "StreamTesting",
            ],
            exclude: ["Regressions"]
        ),
        tests("FlywheelTests", base + ["Demo", "Learner", "Rollout"]),
    ],
    cxxLanguageStandard: .cxx17
)
