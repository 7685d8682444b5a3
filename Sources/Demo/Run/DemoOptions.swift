internal import Foundation
public import S3

/// Options of the demo.
public struct DemoOptions: Sendable {
    public var isQuick: Bool
    /// Seeds of the runs, which take place one after the other.
    public var seeds: [UInt64]
    /// Whether standard output carries the figures as one JSON value.
    public var printsJSON: Bool
    /// Address of a running cluster; nil to start one with `deploy/broker`.
    public var bootstrap: String?
    /// Kind of the broker at `bootstrap`.
    public var brokerKind: String?
    /// Folder of the report.
    public var folder: String
    /// Path of this program, which is also run as the processes of the demo.
    public var executable: String
    /// Negative control: the label tool's true classes are permuted per sample, so that nothing can be learnt.
    public var isTruthPermuted: Bool
    /// Duration of a run in seconds; nil for the default.
    public var duration: Double?
    /// Location of dataset versions and models, as in `s3://bucket/prefix`; nil: the folder. The environment specifies
    /// the connection to the bucket.
    public var store: String?

    public init(
        isQuick: Bool = false,
        seeds: [UInt64] = [1],
        printsJSON: Bool = false,
        bootstrap: String? = nil,
        brokerKind: String? = nil,
        folder: String = "demo-out",
        executable: String,
        isTruthPermuted: Bool = false,
        duration: Double? = nil,
        store: String? = nil
    ) {
        self.isQuick = isQuick
        self.seeds = seeds
        self.printsJSON = printsJSON
        self.bootstrap = bootstrap
        self.brokerKind = brokerKind
        self.folder = folder
        self.executable = executable
        self.isTruthPermuted = isTruthPermuted
        self.duration = duration
        self.store = store
    }

    /// Connection to buckets, from the environment.
    public static var buckets: S3Connection { S3Connection(environment: ProcessInfo.processInfo.environment) }

    /// Duration of a run in seconds.
    var length: Double { duration ?? (isQuick ? 60 : 200) }
    /// Mean time of an annotator for an answer, in milliseconds.
    var meanAnswerTime: Double { isQuick ? 300 : 650 }
    /// Images a second and project.
    var rate: Int { isQuick ? 420 : 320 }
    /// The share of tasks that are audit tasks: larger than usual, to compare models within minutes.
    var auditShare: Double { 0.35 }
    /// Budget of votes for each project.
    var votes: Int { isQuick ? 430 : 620 }
}
