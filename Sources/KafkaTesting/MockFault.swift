/// Kinds of requests to which errors can be injected, by Kafka's own numbers.
public enum MockRequest: Int16, Sendable {
    /// Writing records.
    case produce = 0
    /// Reading records.
    case fetch = 1
    /// First and last offsets.
    case listOffsets = 2
    /// Topics, partitions, leaders.
    case metadata = 3
    /// A consumer's own offset commit.
    case offsetCommit = 8
    /// Reading committed offsets.
    case offsetFetch = 9
    /// Finding the coordinator of a group or a transactional id.
    case findCoordinator = 10
    /// Joining a group.
    case joinGroup = 11
    /// Staying in a group.
    case heartbeat = 12
    /// Leaving a group.
    case leaveGroup = 13
    /// Receiving an assignment.
    case syncGroup = 14
    /// Starting a producer.
    case initProducerID = 22
    /// A partition's first record in a transaction.
    case addPartitionsToTransaction = 24
    /// The first offsets in a transaction.
    case addOffsetsToTransaction = 25
    /// Commit or abort.
    case endTransaction = 26
    /// Offsets in a transaction.
    case transactionOffsetCommit = 28
}

/// Error codes to inject, by Kafka's own numbers.
public enum MockFault: Int32, Sendable, CaseIterable {
    /// The connection is closed instead of an answer.
    case disconnect = -195
    /// The offset is not in the log.
    case offsetOutOfRange = 1
    /// The bytes did not arrive as they were sent.
    case corruptMessage = 2
    /// No such topic or partition here.
    case unknownTopic = 3
    /// An election is under way.
    case leaderNotAvailable = 5
    /// The partition or the coordinator has moved.
    case notLeader = 6
    /// The broker gave up waiting.
    case requestTimedOut = 7
    /// The record is too large for the topic.
    case messageTooLarge = 10
    /// The coordinator is still loading its log.
    case coordinatorLoading = 14
    /// No coordinator is available at present.
    case coordinatorNotAvailable = 15
    /// The coordinator is elsewhere.
    case notCoordinator = 16
    /// Fewer replicas in sync than the topic wants.
    case notEnoughReplicas = 19
    /// Fewer replicas in sync than the topic wants, found out after the write.
    case notEnoughReplicasAfterAppend = 20
    /// The group went on without the member.
    case illegalGeneration = 22
    /// Members do not agree on an assignor.
    case inconsistentGroupProtocol = 23
    /// The member was removed.
    case unknownMember = 25
    /// The transaction or session timeout is not allowed.
    case invalidSessionTimeout = 26
    /// The group is changing.
    case rebalanceInProgress = 27
    /// No right to the topic.
    case topicAuthorizationFailed = 29
    /// No right to the group.
    case groupAuthorizationFailed = 30
    /// No right to the cluster.
    case clusterAuthorizationFailed = 31
    /// A batch is missing before this one.
    case outOfOrderSequence = 45
    /// A newer producer has taken over.
    case invalidProducerEpoch = 47
    /// The state of the transaction does not allow the request.
    case invalidTransactionState = 48
    /// The transactional id belongs to another producer id.
    case invalidProducerIDMapping = 49
    /// The transaction before is not finished yet.
    case concurrentTransactions = 51
    /// No right to the transactional id.
    case transactionalIDAuthorizationFailed = 53
    /// The broker's disk has failed.
    case storageError = 56
    /// The broker has no state of the producer any more.
    case unknownProducerID = 59
    /// The client knows an older leader.
    case fencedLeaderEpoch = 74
    /// The broker knows an older leader.
    case unknownLeaderEpoch = 75
    /// Another member took the static id.
    case fencedInstanceID = 82
    /// An open transaction holds the offset.
    case unstableOffsetCommit = 88
    /// A newer producer has taken over.
    case producerFenced = 90
}
