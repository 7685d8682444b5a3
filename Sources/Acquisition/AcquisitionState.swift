public import Tables
public import Vocabulary

/// The sources of tasks with their candidates, the samples queried before, and the budget.
public struct AcquisitionState: Sendable {
    public var audit = AuditSource()
    public var triggers = TriggerSource()
    public var pool = PoolSource()
    public var verification = VerificationSource()
    public var accounts = TaskAccounts()
    /// Sides of the samples that were queried or imported, by content and group, so that copies under other ids are
    /// found.
    public var sides = SampleSides()
    /// Space of the candidates' embeddings, as far as the configuration does not specify it.
    public var space = Cell(LearnedSpace())
    /// Candidates of the pool among which audit samples were hidden from trainers, each with the time at which it was
    /// used, in milliseconds. Candidates that have left the pool are removed by the next `noteCovers`.
    public var covers = Table<SampleID, Int64>()

    public init() {}

    // MARK: - Sources, in the order in which they share out a batch

    func readSources<Reader: SourceReader>(_ reader: inout Reader, _ context: SelectionContext) {
        if !context.policy.sharesByWindow {
            reader.read(verification, accounts, context)
            reader.read(audit, accounts, context)
        }
        reader.read(triggers, accounts, context)
        reader.read(pool, accounts, context)
        if context.policy.sharesByWindow {
            reader.read(verification, accounts, context)
            reader.read(audit, accounts, context)
        }
    }

    mutating func writeSources<Writer: SourceWriter>(_ writer: inout Writer, _ context: SelectionContext) {
        if !context.policy.sharesByWindow {
            writer.write(&verification, &accounts, context)
            writer.write(&audit, &accounts, context)
        }
        writer.write(&triggers, &accounts, context)
        writer.write(&pool, &accounts, context)
        if context.policy.sharesByWindow {
            writer.write(&verification, &accounts, context)
            writer.write(&audit, &accounts, context)
        }
    }
}
