internal import Foundation
public import S3

/// How a demo is run.
public struct DemoOptions: Sendable {
    public var isQuick: Bool
    /// A run for each, one after the other.
    public var seeds: [UInt64]
    /// Whether standard output carries the figures as one JSON value.
    public var printsJSON: Bool
    /// A running cluster; nil starts one through `deploy/broker`.
    public var bootstrap: String?
    /// Kind of the broker at `bootstrap`.
    public var brokerKind: String?
    /// Folder of the report.
    public var folder: String
    /// This program, for the processes it starts.
    public var executable: String
    /// Honesty check: the label tool's truth is permuted per sample, so that nothing can be learnt.
    public var isTruthPermuted: Bool
    /// Seconds of a run; nil for the usual.
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

    /// Seconds.
    var length: Double { duration ?? (isQuick ? 60 : 200) }
    /// Mean milliseconds that an annotator needs.
    var pace: Double { isQuick ? 300 : 650 }
    /// Images a second and project.
    var rate: Int { isQuick ? 420 : 320 }
    /// The share of tasks that are audit tasks. A short run needs more of them to tell models apart in time.
    var auditShare: Double { isQuick ? 0.35 : 0.35 }
    /// Votes of each project's budget.
    var votes: Int { isQuick ? 430 : 620 }
}
