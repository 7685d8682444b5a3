internal import Acquisition
internal import Events
internal import Flywheel
internal import Kinds
internal import Strategies
internal import Vocabulary

/// Evaluation of triggers, which forward predictions whatever their score.
extension IntakeProcessor {
    /// Evaluates the triggers for a prediction that was scanned. If they read metadata, the prediction must be parsed
    /// instead.
    ///
    /// `reading` is not changed; it is passed `inout` because it is large and would be copied otherwise.
    ///
    /// - Complexity: O(*n*) in the conditions; no allocation.
    func considerTriggers(_ verdict: inout IntakeVerdict, _ reading: inout PredictionReading, at time: Int64) {
        let project = verdict.project
        guard verdict.isOpenToTriggers else { return }
        let classes = project.pointee.classCount
        var facts = TriggerFacts(top: -1, confidence: 0, margin: 0, score: verdict.score, role: verdict.role)
        var unnamed = 0.0
        if reading.hasOutput {
            (facts.top, facts.confidence) = (reading.output.top, reading.output.first)
            facts.margin = 1 - reading.output.score(.margin, classes: classes)
            let others = classes - reading.output.count
            unnamed = others > 0 ? reading.output.remainder / Double(others) : 0
        }
        verdict.apply(
            project.pointee.judgeTriggers(
                facts,
                stream: verdict.stream,
                sample: reading.sample,
                unnamed: unnamed,
                passes: verdict.passes,
                at: time
            )
        )
    }

    /// Evaluates the triggers on a prediction that was parsed completely, including conditions on metadata.
    func considerTriggers(_ verdict: inout IntakeVerdict, _ event: PredictionEvent, at time: Int64) {
        let project = verdict.project
        guard verdict.isOpenToTriggers else { return }
        let classes = project.pointee.classCount
        let facts = TriggerFacts(event.output, score: verdict.score, role: verdict.role, classes: classes)
        var unnamed = 0.0
        if project.pointee.watchesClasses {
            project.pointee.triggers?.beginNotes()
            for entry in event.output?.distribution?.entries ?? [] {
                project.pointee.triggers?.note(entry.label.rawValue, entry.probability)
            }
        }
        if let output = event.output?.distribution {
            let others = classes - output.entries.count
            unnamed = others > 0 ? output.remainder / Double(others) : 0
        }
        var id = event.sample.id.rawValue
        let outcome = id.withUTF8 {
            project.pointee.judgeTriggers(
                facts,
                stream: verdict.stream,
                sample: UnsafeRawBufferPointer($0),
                unnamed: unnamed,
                passes: verdict.passes,
                metadata: project.pointee.readsMetadata ? event.sample.metadata : nil,
                at: time
            )
        }
        verdict.apply(outcome)
    }
}

extension IntakeVerdict {
    fileprivate mutating func apply(_ outcome: TriggerSet.Outcome) {
        triggers = outcome
        isBelowThreshold = isBelowThreshold || !passes && !outcome.isEmpty
        passes = passes || !outcome.isEmpty
    }
}

extension IntakeProject {
    /// Evaluates the triggers on a prediction; `metadata` is the sample's metadata if a condition reads it, otherwise
    /// nil.
    @inline(__always)
    fileprivate mutating func judgeTriggers(
        _ facts: TriggerFacts,
        stream: Int,
        sample: UnsafeRawBufferPointer,
        unnamed: Double,
        passes: Bool,
        metadata: SampleMetadata? = nil,
        at time: Int64
    ) -> TriggerSet.Outcome {
        guard let metadata else {
            return triggers?.judge(
                facts,
                nameConditions: streams[stream].nameConditions,
                sample: sample,
                unnamed: unnamed,
                passes: passes,
                at: time
            ) ?? TriggerSet.Outcome()
        }
        let nameConditions = triggers?.nameConditions(version: streams[stream].version, metadata: metadata) ?? []
        return nameConditions.withUnsafeBufferPointer {
            triggers?.judge(facts, nameConditions: $0, sample: sample, unnamed: unnamed, passes: passes, at: time)
        } ?? TriggerSet.Outcome()
    }
}
