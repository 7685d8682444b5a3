import Foundation
import KafkaClient
import KafkaTesting
import StreamRuntime
import Testing

/// Reaction of a stream task to a fault.
enum Reaction: Hashable, Sendable {
    /// The client or the task makes the call again; nothing is undone.
    case rides
    /// The transaction is aborted, the task rewinds and continues.
    case aborts
    /// The producer is recreated, and the task continues.
    case restarts
    /// The task ends with this code in its error; its worker begins a new run.
    case ends(String)
}

/// A fault at one of the requests that the client makes.
struct FaultCase: Sendable, CustomTestStringConvertible {
    let request: MockRequest
    let fault: MockFault
    let reaction: Reaction
    /// Number of times in a row that the fault occurs.
    var count = 1

    var testDescription: String { "\(request) \(fault)" }

    private static func cases(_ request: MockRequest, _ table: [(MockFault, Reaction)]) -> [FaultCase] {
        table.map { FaultCase(request: request, fault: $0.0, reaction: $0.1) }
    }

    static let writing: [FaultCase] =
        cases(
            .produce,
            [
                (.disconnect, .rides), (.notLeader, .rides), (.leaderNotAvailable, .rides), (.requestTimedOut, .rides),
                (.notEnoughReplicas, .rides), (.notEnoughReplicasAfterAppend, .rides), (.storageError, .rides),
                (.corruptMessage, .aborts), (.unknownTopic, .rides), (.messageTooLarge, .aborts),
                (.topicAuthorizationFailed, .aborts), (.outOfOrderSequence, .restarts), (.unknownProducerID, .aborts),
                (.invalidProducerEpoch, .restarts), (.producerFenced, .aborts),
                (.transactionalIDAuthorizationFailed, .aborts), (.clusterAuthorizationFailed, .aborts),
            ]
        )
        // A single broker cannot lack replicas: Kafka 4 requires no more in-sync replicas than there are.
        + [FaultCase(request: .produce, fault: .notEnoughReplicas, reaction: .rides, count: 60)]
        + cases(
            .addPartitionsToTransaction,
            [
                (.disconnect, .rides), (.coordinatorLoading, .rides), (.coordinatorNotAvailable, .rides),
                (.notCoordinator, .rides), (.concurrentTransactions, .rides), (.unknownTopic, .rides),
                (.requestTimedOut, .aborts), (.topicAuthorizationFailed, .aborts), (.invalidProducerIDMapping, .aborts),
                (.invalidProducerEpoch, .restarts), (.producerFenced, .restarts), (.invalidTransactionState, .restarts),
                (.transactionalIDAuthorizationFailed, .restarts),
            ]
        )
        + cases(
            .addOffsetsToTransaction,
            [
                (.disconnect, .rides), (.coordinatorLoading, .rides), (.notCoordinator, .rides),
                (.concurrentTransactions, .rides), (.invalidProducerIDMapping, .aborts),
                (.groupAuthorizationFailed, .aborts), (.producerFenced, .aborts), (.invalidProducerEpoch, .restarts),
                (.invalidTransactionState, .restarts), (.transactionalIDAuthorizationFailed, .restarts),
            ]
        )
        + cases(
            .transactionOffsetCommit,
            [
                (.disconnect, .rides), (.coordinatorLoading, .rides), (.notCoordinator, .rides),
                (.coordinatorNotAvailable, .rides), (.requestTimedOut, .rides), (.unknownTopic, .rides),
                (.illegalGeneration, .aborts), (.unknownMember, .aborts), (.fencedInstanceID, .aborts),
                (.groupAuthorizationFailed, .aborts), (.producerFenced, .aborts), (.invalidProducerEpoch, .restarts),
            ]
        )
        + cases(
            .endTransaction,
            [
                (.disconnect, .rides), (.coordinatorLoading, .rides), (.coordinatorNotAvailable, .rides),
                (.notCoordinator, .rides), (.concurrentTransactions, .rides), (.requestTimedOut, .aborts),
                (.unknownProducerID, .aborts), (.invalidProducerIDMapping, .aborts), (.producerFenced, .restarts),
                (.invalidProducerEpoch, .restarts), (.invalidTransactionState, .restarts),
                (.transactionalIDAuthorizationFailed, .restarts),
            ]
        )

    static let reading: [FaultCase] =
        cases(
            .fetch,
            [
                (.disconnect, .rides), (.notLeader, .rides), (.leaderNotAvailable, .rides), (.unknownTopic, .rides),
                (.storageError, .rides), (.fencedLeaderEpoch, .rides), (.unknownLeaderEpoch, .rides),
                (.requestTimedOut, .rides), (.corruptMessage, .rides),
                (.topicAuthorizationFailed, .ends("TOPIC_AUTHORIZATION_FAILED")),
                (.offsetOutOfRange, .ends("_AUTO_OFFSET_RESET")),
            ]
        )
        + cases(
            .heartbeat,
            [
                (.disconnect, .rides), (.coordinatorLoading, .rides), (.notCoordinator, .rides),
                (.coordinatorNotAvailable, .rides), (.rebalanceInProgress, .rides), (.illegalGeneration, .rides),
                (.unknownMember, .rides), (.fencedInstanceID, .ends("FENCED_INSTANCE_ID")),
                (.groupAuthorizationFailed, .rides),
            ]
        )
        + cases(.metadata, [(.disconnect, .rides), (.leaderNotAvailable, .rides), (.unknownTopic, .rides)])

    static let beginning: [FaultCase] =
        cases(
            .findCoordinator,
            [
                (.disconnect, .rides), (.coordinatorLoading, .rides), (.coordinatorNotAvailable, .rides),
                (.requestTimedOut, .rides),
            ]
        )
        + cases(
            .initProducerID,
            [
                (.disconnect, .rides), (.coordinatorLoading, .rides), (.coordinatorNotAvailable, .rides),
                (.notCoordinator, .rides), (.concurrentTransactions, .rides), (.requestTimedOut, .rides),
                (.transactionalIDAuthorizationFailed, .ends("TRANSACTIONAL_ID_AUTHORIZATION_FAILED")),
                (.clusterAuthorizationFailed, .ends("CLUSTER_AUTHORIZATION_FAILED")),
                (.producerFenced, .ends("_FENCED")),
            ]
        )
        + cases(
            .joinGroup,
            [
                (.disconnect, .rides), (.coordinatorLoading, .rides), (.coordinatorNotAvailable, .rides),
                (.notCoordinator, .rides), (.unknownMember, .rides), (.rebalanceInProgress, .rides),
                (.groupAuthorizationFailed, .rides), (.inconsistentGroupProtocol, .rides),
                (.fencedInstanceID, .ends("FENCED_INSTANCE_ID")),
            ]
        )
        + cases(
            .syncGroup,
            [
                (.disconnect, .rides), (.coordinatorLoading, .rides), (.notCoordinator, .rides),
                (.rebalanceInProgress, .rides), (.illegalGeneration, .rides), (.unknownMember, .rides),
                (.fencedInstanceID, .ends("FENCED_INSTANCE_ID")),
            ]
        )
        + cases(
            .offsetFetch,
            [
                (.disconnect, .rides), (.coordinatorLoading, .rides), (.notCoordinator, .rides),
                (.unstableOffsetCommit, .rides), (.groupAuthorizationFailed, .ends("GROUP_AUTHORIZATION_FAILED")),
            ]
        )
}

@Suite("Every fault at every request", .serialized)
struct FaultTableTests {
    /// Reaction of the task to the fault, according to its events.
    private func reaction(_ events: [StreamTaskEvent]) -> Reaction {
        var isAborted = false
        for event in events {
            switch event {
            case .restarted: return .restarts
            case .aborted: isAborted = true
            default: break
            }
        }
        return isAborted ? .aborts : .rides
    }

    /// Injects a fault, and runs the task until it has copied all written values.
    private func inject(_ fault: FaultCase, _ copier: Copier) throws {
        // Heartbeats and metadata requests are sent without a trigger, a few times a second.
        let minimumSeconds = fault.request == .heartbeat || fault.request == .metadata ? 1.0 : 0
        let values = try copier.write()
        _ = copier.takeEvents()
        copier.cluster.pushRequestErrors(fault.request, Array(repeating: fault.fault, count: fault.count))
        var ended: String?
        let began = Date()
        do {
            let isOver = try copier.run {
                values.isSubset(of: copier.processor.copied) && Date().timeIntervalSince(began) >= minimumSeconds
            }
            #expect(isOver, "\(fault.testDescription) is not got over")
        } catch {
            ended = "\(error)"
        }
        let events = copier.takeEvents()
        copier.cluster.clearRequestErrors(fault.request)
        let report = "\(fault.testDescription): \(ended ?? "") \(events) after \(Date().timeIntervalSince(began)) s"
        if ProcessInfo.processInfo.environment["FAULT_TABLE"] != nil {
            print(
                "TABLE \(fault.testDescription) \(ended.map { "ends \($0)" } ?? "\(reaction(events))") \(Int(Date().timeIntervalSince(began) * 1000)) ms"
            )
        }
        if case .ends(let code) = fault.reaction {
            #expect(ended?.contains(code) == true, "\(report)")
        } else {
            #expect(ended == nil, "\(report)")
            #expect(reaction(events) == fault.reaction, "\(report)")
        }
        let retries = events.count { if case .retrying = $0 { true } else { false } }
        #expect(retries < 50, "\(report)")
        guard ended != nil else { return }
        // A worker reacts with a new run.
        copier.end()
        try copier.begin()
        #expect(try copier.run { values.isSubset(of: copier.processor.copied) }, "no new run after \(report)")
    }

    private func expectNothingLost(_ copier: Copier) throws {
        let output = Set(try copier.output())
        #expect(copier.processor.copied.isSubset(of: output))
    }

    @Test("While writing: the call is repeated, the transaction aborted, or the producer replaced; and nothing is lost")
    func writing() throws {
        let copier = try Copier()
        try copier.begin()
        let first = try copier.write()
        #expect(try copier.run { first.isSubset(of: copier.processor.copied) })
        for fault in FaultCase.writing { try inject(fault, copier) }
        try expectNothingLost(copier)
    }

    @Test("While reading and staying in the group, nothing is lost")
    func reading() throws {
        let copier = try Copier()
        try copier.begin()
        let first = try copier.write()
        #expect(try copier.run { first.isSubset(of: copier.processor.copied) })
        for fault in FaultCase.reading { try inject(fault, copier) }
        try expectNothingLost(copier)
    }

    /// A new run whose start meets a fault.
    private struct StartingRun {
        let fault: FaultCase
        let copier: Copier
        let values: Set<String>
        var ended: String?

        init(_ fault: FaultCase) throws {
            self.fault = fault
            copier = try Copier()
            values = try copier.write()
            copier.cluster.pushRequestErrors(fault.request, [fault.fault])
            try copier.begin()
        }

        var isDone: Bool { ended != nil || values.isSubset(of: copier.processor.copied) }
    }

    @Test("While starting: faults at finding coordinators, joining, fetching offsets and fencing")
    func beginning() throws {
        // The group's wait for members takes most of the time, so all runs wait at once.
        var runs = try FaultCase.beginning.map { try StartingRun($0) }
        let end = Date() + 60
        while runs.contains(where: { !$0.isDone }), Date() < end {
            for index in runs.indices where !runs[index].isDone {
                do { _ = try runs[index].copier.run(seconds: 0.01) { false } } catch {
                    runs[index].ended = "\(error)"
                }
            }
        }
        for run in runs {
            let name = run.fault.testDescription
            if case .ends(let code) = run.fault.reaction {
                #expect(run.ended?.contains(code) == true, "\(name): \(run.ended ?? "goes on")")
            } else {
                #expect(run.ended == nil, "\(name): \(run.ended ?? "")")
                #expect(run.isDone, "\(name) is not got over")
                #expect(reaction(run.copier.takeEvents()) == .rides, "\(name)")
            }
        }
    }
}
