internal import Kinds
internal import Tables
public import Vocabulary

/// Changes that an annotation caused.
public struct AnnotationOutcome: Hashable, Sendable {
    /// Whether the annotation used one of the votes reserved for the task.
    public var isVote = false
    /// Whether an annotator skipped or flagged the task.
    public var isDecline = false
    /// Notes that people wrote with their flags, if the task closed.
    public var notes: [String] = []
    /// The task's new record for label tools; nil if there is nothing to announce.
    public var task: LabelingTask?
    /// The label, if the task closed with one.
    public var consensus: ConsensusLabel?
    /// Origin of the query for the label's sample; nil as in `Selection`.
    public var audit: AuditOrigin?
    /// Reserved votes that will not be used, if the task closed.
    public var votesReleased = 0
    /// Cost that each vote of the task reserved.
    public var voteCost = VoteCost.free
    /// Time that the annotator needed for a vote or to decline, in milliseconds, if the tool reports it.
    public var voteTime: Int64?
    /// How long the task was open, in milliseconds, if it closed.
    public var openFor: Int64?

    public init() {}
}

/// Aggregation of several people's answers into one label.
extension LabelingState {
    /// Opens a task for a selection; its question does not offer the classes named in `withheld`.
    ///
    /// - Returns: The task's record for label tools.
    public mutating func openTask(
        _ id: TaskID,
        for selection: Selection,
        question: Question,
        policy: LabelingPolicy,
        withholding withheld: [String] = [],
        at time: StreamTime
    ) -> LabelingTask {
        let task = OpenTask(
            selection: selection,
            votes: [],
            declined: [],
            votesWanted: policy.minimumVotes,
            votesReserved: policy.maximumVotes,
            openedAt: time,
            expiresAt: time.advanced(byMilliseconds: policy.lifetime),
            withheld: withheld
        )
        open[id] = task
        return record(of: task, id, .open, question)
    }

    /// Counts an answer, or returns why it is not counted. Repeated and late answers change nothing.
    ///
    /// - Parameters:
    ///   - annotation: The answer.
    ///   - question: The question in force.
    ///   - policy: The policy in force.
    ///   - keepsNotes: Whether the note of a flag is kept until the task closes.
    ///   - time: Time of the entry.
    /// - Returns: The changes made by the answer.
    public mutating func receive(
        _ annotation: Annotation,
        question: Question,
        policy: LabelingPolicy,
        keepsNotes: Bool = false,
        at time: StreamTime
    ) -> Result<AnnotationOutcome, EntryRejectionError> {
        let id = annotation.task
        guard var task = open[id] else { return .failure(notOpenRejection(annotation)) }
        let who = annotation.annotator
        if task.votes.contains(where: { $0.annotator == who }) || task.declined.contains(who) {
            return .failure(.init(.duplicate, "annotator \(who) has answered task \(id) before"))
        }
        switch annotation.outcome {
        case .answer(let answer):
            if let complaint = question.complaint(answer) { return .failure(.init(.unknownClass, complaint)) }
            if task.extent != nil, task.question(question).complaint(answer) != nil {
                let name = question.text(of: answer)
                let reason = "class \"\(name)\" is not in the question of task \(id): it was appended later"
                return .failure(.init(.unknownClass, reason))
            }
            if !task.withheld.isEmpty, case let name = question.text(of: answer), task.withheld.contains(name) {
                let reason = "class \"\(name)\" is not in the question of task \(id): it is suppressed"
                return .failure(.init(.unknownClass, reason))
            }
            task.votes.append(Vote(annotator: who, answer: answer))
            var outcome = count(task, id: id, question: question, policy: policy, at: time)
            outcome.voteCost = task.selection.voteCost
            outcome.voteTime = annotation.duration
            return .success(outcome)
        case .skip, .flag:
            let standing = standing(policy)
            // Any client can invent names: those without standing are recorded only up to a task's closing limit.
            let counts = !standing.isHeldByAnyone || standing.has(who, annotators[who])
            guard counts || task.declined.count < policy.maximumSkips else { return .success(AnnotationOutcome()) }
            task.declined.append(who)
            if keepsNotes, case .flag(let note) = annotation.outcome { task.note(note) }
            var reliability = annotators[who] ?? AnnotatorReliability()
            if case .skip = annotation.outcome { reliability.skips += 1 } else { reliability.flags += 1 }
            standingCount.set(who, reliability, in: &annotators)
            let isDecided = !standing.isHeldByAnyone || task.declined.contains { standing.has($0, annotators[$0]) }
            var outcome = AnnotationOutcome()
            if isDecided, task.declined.count >= policy.maximumSkips {
                outcome = close(
                    task,
                    id: id,
                    as: .unanswerable,
                    majority: nil,
                    standing: standing,
                    question: question,
                    at: time
                )
            } else {
                open[id] = task
            }
            outcome.isDecline = true
            outcome.voteCost = task.selection.voteCost
            outcome.voteTime = annotation.duration
            return .success(outcome)
        }
    }

    /// Records that the project's question has grown: open tasks keep their own question.
    ///
    /// - Parameter extent: The extent of the question in the previous revision.
    /// - Complexity: O(*n* log *n*) in the open tasks.
    public mutating func questionGrew(from extent: Int) {
        for (id, row) in open.sortedRows where row.extent == nil {
            var task = row
            task.extent = extent
            open[id] = task
        }
    }

    /// Closes every task that has expired, in the order of their ids. A task with enough answers keeps its label,
    /// unless only annotators without standing gave it.
    public mutating func expire(question: Question, policy: LabelingPolicy, at time: StreamTime) -> [AnnotationOutcome]
    {
        guard let deadline = nextDeadline, deadline <= time else { return [] }
        var outcomes: [AnnotationOutcome] = []
        for (id, task) in open.sortedRows where task.expiresAt <= time {
            let standing = standing(policy)
            var majority = task.votes.count >= policy.minimumVotes ? consensus(of: task, standing, question) : nil
            if standing.isHeldByAnyone, let found = majority, !hasVote(task, of: standing, for: found) {
                majority = nil
            }
            let closing: LabelingTask.Closing = majority == nil ? .expired : .answered
            outcomes.append(
                close(task, id: id, as: closing, majority: majority, standing: standing, question: question, at: time)
            )
        }
        return outcomes
    }

    // MARK: - Steps

    private mutating func count(
        _ counted: OpenTask,
        id: TaskID,
        question: Question,
        policy: LabelingPolicy,
        at time: StreamTime
    ) -> AnnotationOutcome {
        var task = counted
        let standing = standing(policy)
        let majority = consensus(of: task, standing, question)
        let isBacked = !standing.isHeldByAnyone || majority.map { hasVote(task, of: standing, for: $0) } ?? false
        let isSure = (majority?.confidence.value ?? 0) >= policy.confidence && isBacked
        if task.votes.count >= task.votesReserved || (task.votes.count >= policy.minimumVotes && isSure) {
            var outcome = close(
                task,
                id: id,
                as: .answered,
                majority: majority,
                standing: standing,
                question: question,
                at: time
            )
            outcome.isVote = true
            return outcome
        }
        var outcome = AnnotationOutcome()
        outcome.isVote = true
        if task.votes.count >= task.votesWanted {
            task.votesWanted = task.votes.count + 1
            outcome.task = record(of: task, id, .open, question)
        }
        open[id] = task
        return outcome
    }

    private func consensus(of task: OpenTask, _ standing: Standing, _ question: Question) -> Consensus<Label>? {
        task.question(question).consensus(
            task.votes.map { ($0.answer, standing.accuracy(of: $0.annotator, annotators[$0.annotator])) }
        )
    }

    private mutating func close(
        _ task: OpenTask,
        id: TaskID,
        as closing: LabelingTask.Closing,
        majority: Consensus<Label>?,
        standing: Standing,
        question: Question,
        at time: StreamTime
    ) -> AnnotationOutcome {
        open[id] = nil
        closed[id] = ClosedTask(
            closing: closing,
            label: majority?.label,
            annotators: task.votes.map(\.annotator) + task.declined
        )
        var outcome = AnnotationOutcome()
        outcome.task = record(of: task, id, .closed(closing), question)
        outcome.votesReleased = task.votesReserved - task.votes.count
        outcome.voteCost = task.selection.voteCost
        outcome.openFor = time.milliseconds(since: task.openedAt)
        outcome.notes = task.notes
        guard let majority else { return outcome }
        // A label that contradicts the answers of all annotators with standing adds no agreement to any annotator.
        let agreementCounts =
            task.votes.count > Standing.othersNeeded
            && (hasVote(task, of: standing, for: majority) || !hasVote(task, of: standing))
        for (position, vote) in task.votes.enumerated() {
            var reliability = annotators[vote.annotator] ?? AnnotatorReliability()
            reliability.answers += 1
            reliability.correct += majority.posteriors[position]
            if agreementCounts, majority.supports[position] { reliability.agreements += 1 }
            standingCount.set(vote.annotator, reliability, in: &annotators)
        }
        outcome.audit = task.selection.audit
        outcome.consensus = ConsensusLabel(
            task: id,
            sample: task.selection.sample,
            purpose: task.selection.purpose,
            label: majority.label,
            confidence: majority.confidence,
            votes: task.votes,
            predictedAt: task.selection.predictedAt
        )
        return outcome
    }

    private func notOpenRejection(_ annotation: Annotation) -> EntryRejectionError {
        guard let task = closed[annotation.task] else {
            return .init(.unknownTask, "there is no task \(annotation.task)")
        }
        if task.annotators.contains(annotation.annotator) {
            return .init(.duplicate, "annotator \(annotation.annotator) has answered task \(annotation.task) before")
        }
        return .init(.taskClosed, "task \(annotation.task) is closed (\(task.closing.rawValue))")
    }

    func record(of task: OpenTask, _ id: TaskID, _ state: LabelingTask.State, _ question: Question)
        -> LabelingTask
    {
        LabelingTask(
            id: id,
            sample: task.selection.sample,
            question: task.question(question).without(task.withheld),
            state: state,
            votesWanted: task.votesWanted,
            votes: task.votes.count,
            priority: task.priority,
            purpose: task.selection.purpose,
            reason: task.selection.reason,
            openedAt: task.openedAt,
            expiresAt: task.expiresAt
        )
    }
}
