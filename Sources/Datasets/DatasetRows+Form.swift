public import Forms
public import Vocabulary

extension LogPosition: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        sequence = try f("sequence", \.sequence, Integer.counted)
        versionNumber = try f("ordinal", \.versionNumber, Count.counted)
        training = try f("training", \.training, Count.counted)
        validation = try f("validation", \.validation, Count.counted)
        test = try f("test", \.test, Count.counted)
        newTraining = try f("new_training", \.newTraining, Count.counted)
        newLabels = try f("new_labels", \.newLabels, Count.counted)
        waitingSince = try f.optional("waiting_since_ms", \.waitingSince, Time())
        newestSampleAt = try f("newest_sample_at_ms", \.newestSampleAt, Time())
        importedAt = try f.optional("imported_at_ms", \.importedAt, Time())
        format = try f("format", \.format, Count(1...DatasetFormat.changes), implied: DatasetFormat.additions)
        anchored = try f("anchored", \.anchored, Count(0...DatasetsState.anchorSize), implied: 0)
    }
}

extension WindowLabel: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        sample = try f("sample", \.sample, ID())
        isGrouped = try f("grouped", \.isGrouped, Flag(), implied: false)
    }
}

extension PendingCut: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        cutAt = try f("cut_at_ms", \.cutAt, Time())
        newestSampleAt = try f("newest_sample_at_ms", \.newestSampleAt, Time())
    }
}

extension CutMark: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        sequence = try f("sequence", \.sequence, Integer.counted)
        changed = try f("changed", \.changed, Count.counted, implied: 0)
    }
}

extension FormerTestLabel: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        sample = try f("sample", \.sample, ID())
        until = try f("until", \.until, Integer.counted)
    }
}
