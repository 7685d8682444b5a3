/// Maximum number of connected clients, and maximum time for which a client may send nothing of use.
public struct ConnectionLimits: Hashable, Sendable {
    /// Connections of all clients together, at least 1.
    public var total: Int
    /// Connections of one address, at least 1.
    public var perPeer: Int
    /// Milliseconds that a client has for a request's headers, then for its body and for taking the answer, and then for
    /// the next request. Single bytes do not prolong it.
    public var maximumWait: Int64

    /// The limits.
    public init(total: Int = 512, perPeer: Int = 256, maximumWait: Int64 = 5_000) {
        precondition(total > 0 && perPeer > 0 && maximumWait > 0, "a limit is at least 1")
        self.total = total
        self.perPeer = perPeer
        self.maximumWait = maximumWait
    }
}

/// Open connections by descriptor, and the selection of connections to close.
///
/// When there is no free capacity, the connection without progress for the longest time is closed, of the same peer if
/// the peer is at its limit, otherwise of the peer with most connections: a new client is always admitted, so that no
/// client can exclude others by keeping connections open. All operations take constant time on average, but O(peers)
/// when the total is reached.
struct ConnectionTable {
    private struct Connection {
        let peer: UInt32
        /// The number of its last step; queue entries with another number are no longer valid.
        var step: UInt64
        var isClosing = false
    }

    private struct Entry {
        let descriptor: Int32
        let step: UInt64
        let deadline: Int64
    }

    /// First in, first out; entries that are no longer valid are skipped.
    private struct Queue {
        private var entries: [Entry] = []
        private var head = 0

        var first: Entry? { head < entries.count ? entries[head] : nil }
        var count: Int { entries.count - head }

        mutating func append(_ entry: Entry) { entries.append(entry) }

        mutating func removeFirst() {
            head += 1
            if head > 64, head * 2 > entries.count {
                entries.removeFirst(head)
                head = 0
            }
        }

        mutating func keep(where isCurrent: (Entry) -> Bool) {
            entries = entries[head...].filter(isCurrent)
            head = 0
        }
    }

    private struct Peer {
        /// Connections that are open and not marked for closing.
        var count = 0
        var queue = Queue()
    }

    let limits: ConnectionLimits
    private var connections: [Int32: Connection] = [:]
    private var peers: [UInt32: Peer] = [:]
    private var order = Queue()
    private var steps: UInt64 = 0
    private var openCount = 0

    init(_ limits: ConnectionLimits) { self.limits = limits }

    /// Connections in the table, including connections marked for closing.
    var count: Int { connections.count }

    /// Adds a connection at `time`, in milliseconds.
    ///
    /// - Returns: The connection that must be closed to free capacity, if any.
    mutating func admit(_ descriptor: Int32, peer: UInt32, at time: Int64) -> Int32? {
        var evicted: Int32?
        if let existing = peers[peer], existing.count >= limits.perPeer {
            evicted = evictOldest(of: peer)
        } else if openCount >= limits.total {
            let busiest = peers.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
            evicted = busiest.flatMap { evictOldest(of: $0.key) }
        }
        connections[descriptor] = Connection(peer: peer, step: 0)
        peers[peer, default: Peer()].count += 1
        openCount += 1
        enqueue(descriptor, at: time)
        return evicted
    }

    /// Records progress of a connection: a request was received, or its answer is sent.
    mutating func advance(_ descriptor: Int32, at time: Int64) {
        guard connections[descriptor]?.isClosing == false else { return }
        enqueue(descriptor, at: time)
    }

    /// Forgets a connection that is closed.
    mutating func remove(_ descriptor: Int32) {
        guard let connection = connections.removeValue(forKey: descriptor) else { return }
        if !connection.isClosing { release(connection.peer) }
    }

    /// The connections whose time is over at `time`; each is returned once.
    mutating func overdue(at time: Int64) -> [Int32] {
        var overdue: [Int32] = []
        while let entry = order.first {
            if isCurrent(entry) {
                guard entry.deadline <= time else { break }
                close(entry.descriptor)
                overdue.append(entry.descriptor)
            }
            order.removeFirst()
        }
        return overdue
    }

    /// Returns the connection of any peer that has waited for longest, and marks it for closing; nil if none is open.
    /// Used when there are no descriptors left.
    mutating func evictOldest() -> Int32? {
        while let entry = order.first {
            order.removeFirst()
            guard isCurrent(entry) else { continue }
            close(entry.descriptor)
            return entry.descriptor
        }
        return nil
    }

    private mutating func evictOldest(of peer: UInt32) -> Int32? {
        while let entry = peers[peer]?.queue.first {
            peers[peer]?.queue.removeFirst()
            guard isCurrent(entry) else { continue }
            close(entry.descriptor)
            return entry.descriptor
        }
        return nil
    }

    private func isCurrent(_ entry: Entry) -> Bool {
        guard let connection = connections[entry.descriptor] else { return false }
        return connection.step == entry.step && !connection.isClosing
    }

    private mutating func enqueue(_ descriptor: Int32, at time: Int64) {
        guard let peer = connections[descriptor]?.peer else { return }
        steps += 1
        connections[descriptor]?.step = steps
        let entry = Entry(descriptor: descriptor, step: steps, deadline: time + limits.maximumWait)
        order.append(entry)
        peers[peer]?.queue.append(entry)
        // One client with many requests on one connection accumulates invalid entries in its own queue.
        if let queue = peers[peer]?.queue, queue.count > 2 * limits.perPeer + 64 {
            let connections = connections
            peers[peer]?.queue.keep { connections[$0.descriptor]?.step == $0.step }
        }
        if order.count > 2 * limits.total + 64 {
            let connections = connections
            order.keep { connections[$0.descriptor]?.step == $0.step }
        }
    }

    private mutating func close(_ descriptor: Int32) {
        guard let connection = connections[descriptor], !connection.isClosing else { return }
        connections[descriptor]?.isClosing = true
        release(connection.peer)
    }

    private mutating func release(_ peer: UInt32) {
        openCount -= 1
        guard let left = peers[peer]?.count else { return }
        if left <= 1 { peers[peer] = nil } else { peers[peer]?.count = left - 1 }
    }
}
