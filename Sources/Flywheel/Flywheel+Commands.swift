internal import Datasets
internal import Rollout
internal import Tables
internal import Training
internal import Vocabulary

/// Commands of operators.
extension ProjectState {
    /// Executes a command, only once while its id is remembered.
    mutating func receive(_ command: Command, _ configuration: ProjectConfiguration, _ step: inout Step) {
        guard commands[command.id] == nil else {
            refuse(.init(.duplicate, "command \(command.id) was carried out before"), &step)
            return
        }
        commands[command.id] = step.context.entryNumber
        forgetCommands()
        switch command.action {
        case .hold: rollout.hold(true)
        case .releaseHold: rollout.hold(false)
        case .freeze: freeze(command, configuration, &step)
        case .unfreeze:
            rollout.endFreeze()
            requestStudy(configuration, &step)
        // Executed by the reader of the journal; when the entry is applied, it has been executed already.
        case .resume: break
        case .rollBack(let version):
            let evidence = Evidence.command(id: command.id, by: command.by, reason: command.reason)
            let result = rollout.rollBack(
                from: version,
                evidence: evidence,
                policy: configuration.rollout,
                at: step.context.time
            )
            switch result {
            case .failure(let error): refuse(error.refusal, &step)
            case .success(let release): decide(release, &step)
            }
        case .approve(let version):
            if let error = rollout.approve(version, by: command.by, policy: configuration.rollout) {
                refuse(error.refusal, &step)
            }
        case .suppress(let isSuppressed, let name):
            let result = rollout.suppress(
                isSuppressed,
                class: name,
                of: configuration.question,
                evidence: .command(id: command.id, by: command.by, reason: command.reason),
                at: step.context.time
            )
            switch result {
            case .failure(let error): refuse(error.refusal, &step)
            case .success(let release): if let release { decide(release, &step) }
            }
        case .register(let incumbent): register(incumbent, command, &step)
        case .revise, .retract, .move: change(command, configuration, &step)
        }
    }

    private mutating func register(_ incumbent: IncumbentModel, _ command: Command, _ step: inout Step) {
        let version = incumbent.version
        guard !training.hasNamed(version) || version == rollout.roles.value.champion?.version else {
            refuse(.init(.versionTaken, "\(version) is the name of a model that was trained here"), &step)
            return
        }
        let evidence = Evidence.command(
            id: command.id,
            by: command.by,
            reason: command.reason,
            metrics: incumbent.metrics
        )
        switch rollout.register(incumbent: incumbent, evidence: evidence) {
        case .failure(let error): refuse(error.refusal, &step)
        case .success(let release):
            unregistered[version] = nil
            excludeNonTestLabels("\(version) is registered", &step)
            decide(release, &step)
        }
    }

    private mutating func freeze(_ command: Command, _ configuration: ProjectConfiguration, _ step: inout Step) {
        let evidence = Evidence.command(id: command.id, by: command.by, reason: command.reason)
        let release = rollout.freeze(policy: configuration.rollout, evidence: evidence, at: step.context.time)
        if let release { decide(release, &step) }
    }

    /// Removes the oldest commands, so that as many remain as are remembered.
    private mutating func forgetCommands() {
        let more = commands.count - Self.commandCapacity
        guard more > 0 else { return }
        // Usually one command is removed at a time; only a state from a build that kept all commands has more to
        // remove.
        guard more > 1 else {
            if let oldest = commands.minimum(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
                commands[oldest.key] = nil
            }
            return
        }
        let all = commands.sortedRows.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        for row in all.prefix(more) { commands[row.key] = nil }
    }
}

extension CutSummary {
    /// The version that the mark describes.
    init(_ mark: CutMark) { self.init(sequence: mark.sequence, changed: mark.changed) }
}
