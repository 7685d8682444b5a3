internal import StreamRuntime
internal import Vocabulary

/// State of reading the journal again: one project at a time reads it from the position of its pause, beside the live
/// stream.
struct JournalCatchUp {
    /// Largest number of journal records in one transaction, of all projects together.
    static let sliceSize = 1_000
    /// Largest size of such a transaction, in bytes.
    static let maximumBytes = 4 << 20
    /// Transactions of one project before the next project is read.
    static let transactionsPerProject = 16
    /// Largest number of entries applied one per transaction, and longest time for it in milliseconds, before the live
    /// stream is processed.
    static let streak = 100
    static let streakTime: Int64 = 500
    /// Number of deaths, or of refusals for the same reason, at one entry before the project is paused again.
    static let maximumFailures = 3

    struct RepeatedRefusal {
        /// The stored offset at which the entry was refused.
        var next: Int64
        var count: Int
        var reason: String
    }

    /// The project that is being read, or was read last, and the position of its reader.
    var name: String?
    var position: Int64 = -1
    var reader: (any LogReader)?
    let batch = RecordBatch()
    /// Number of journal records over which a project's entries are still applied one per transaction.
    var cautiousRecords: [String: Int] = [:]
    /// Consecutive refusals at one offset.
    var refusals: [String: RepeatedRefusal] = [:]
    /// Projects whose last reader died with one of their entries in hand; the death is recorded before they are read.
    var died: Set<String> = []
    /// The project whose reading ends with the open transaction.
    var ending: String?
    /// Transactions in the current cycle of `name`; consecutive entries in hand, and the start time of that sequence.
    var transactionCount = 0
    var streakCount = 0
    var streakStart: Int64 = 0
    /// Failures of readers in a row, and transactions to wait before the next try.
    var failures = 0
    var wait = 0
    private var recordedDeaths: Set<String> = []

    mutating func recordDeath(of name: String) { recordedDeaths.insert(name) }

    mutating func committed() {
        died.subtract(recordedDeaths)
        recordedDeaths.removeAll()
        guard let ending else { return }
        cautiousRecords[ending] = nil
        refusals[ending] = nil
        self.ending = nil
        if name == ending { stop() }
    }

    /// Discards the progress of an aborted transaction: its records are read again.
    mutating func aborted() {
        recordedDeaths.removeAll()
        ending = nil
        position = -1
    }

    /// Closes the reader, which is no longer usable; another project is read first.
    mutating func failed() {
        closeReader()
        failures += 1
        wait = 1 << min(failures, 6)
        transactionCount = Self.transactionsPerProject
    }

    /// Stops reading; everything except the reader and its project is kept.
    mutating func stop() {
        closeReader()
        name = nil
        transactionCount = 0
    }

    private mutating func closeReader() {
        reader?.close()
        reader = nil
        position = -1
    }

    mutating func close() {
        stop()
        cautiousRecords.removeAll()
        refusals.removeAll()
        died.removeAll()
        recordedDeaths.removeAll()
        ending = nil
        failures = 0
        wait = 0
    }
}
