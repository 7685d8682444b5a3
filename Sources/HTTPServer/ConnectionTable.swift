/// How many clients may be connected, and for how long one may say nothing of use.
public struct ConnectionLimits: Hashable, Sendable {
    /// Connections of all clients together, at least 1.
    public var total: Int
    /// Connections of one address, at least 1.
    public var perPeer: Int
    /// Milliseconds that a client has for a request's headers, then for its body and for taking the answer, and then for
    /// the next request. Single bytes do not prolong it.
    public var patience: Int64

    /// The limits.
    public init(total: Int = 512, perPeer: Int = 256, patience: Int64 = 5_000) {
        precondition(total > 0 && perPeer > 0 && patience > 0, "a limit is at least 1")
        self.total = total
        self.perPeer = perPeer
        self.patience = patience
    }
}

/// The connections that are open, by descriptor, and which of them have to go.
///
/// When there is no room the one goes that has got nothing done for the longest time, of the same peer where the peer is
/// at its limit, else of the peer with most connections: a new client is always let in, so that nobody can keep others
/// out by holding connections. All operations take constant time on average, but O(peers) where the total is reached.
struct ConnectionTable {
    private struct Connection {
        let peer: UInt32
        /// The number of its last step; places in the queues with another number no longer hold.
        var step: UInt64
        var isClosing = false
    }

    private struct Place {
        let descriptor: Int32
        let step: UInt64
        let deadline: Int64
    }

    /// First in, first out; places that no longer hold are passed over.
    private struct Queue {
        private var places: [Place] = []
        private var head = 0

        var first: Place? { head < places.count ? places[head] : nil }
        var count: Int { places.count - head }

        mutating func append(_ place: Place) { places.append(place) }

        mutating func removeFirst() {
            head += 1
            if head > 64, head * 2 > places.count {
                places.removeFirst(head)
                head = 0
            }
        }

        mutating func keep(where holds: (Place) -> Bool) {
            places = places[head...].filter(holds)
            head = 0
        }
    }

    private struct Peer {
        /// Connections that are open and are not told to close.
        var count = 0
        var queue = Queue()
    }

    let limits: ConnectionLimits
    private var connections: [Int32: Connection] = [:]
    private var peers: [UInt32: Peer] = [:]
    private var order = Queue()
    private var steps: UInt64 = 0
    private var open = 0

    init(_ limits: ConnectionLimits) { self.limits = limits }

    /// Connections that the table knows, those told to close included.
    var count: Int { connections.count }

    /// Enters a connection at `time`, in milliseconds.
    ///
    /// - Returns: The connection that must be closed to make room, if one must.
    mutating func admit(_ descriptor: Int32, peer: UInt32, at time: Int64) -> Int32? {
        var leaving: Int32?
        if let own = peers[peer], own.count >= limits.perPeer {
            leaving = evictOldest(of: peer)
        } else if open >= limits.total {
            let most = peers.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
            leaving = most.flatMap { evictOldest(of: $0.key) }
        }
        connections[descriptor] = Connection(peer: peer, step: 0)
        peers[peer, default: Peer()].count += 1
        open += 1
        enqueue(descriptor, at: time)
        return leaving
    }

    /// Notes that a connection got something done: a request has come, or its answer is sent.
    mutating func advance(_ descriptor: Int32, at time: Int64) {
        guard connections[descriptor]?.isClosing == false else { return }
        enqueue(descriptor, at: time)
    }

    /// Forgets a connection that is closed.
    mutating func remove(_ descriptor: Int32) {
        guard let connection = connections.removeValue(forKey: descriptor) else { return }
        if !connection.isClosing { leave(connection.peer) }
    }

    /// The connections whose time is over at `time`; each is returned once.
    mutating func overdue(at time: Int64) -> [Int32] {
        var overdue: [Int32] = []
        while let place = order.first {
            if holds(place) {
                guard place.deadline <= time else { break }
                close(place.descriptor)
                overdue.append(place.descriptor)
            }
            order.removeFirst()
        }
        return overdue
    }

    /// The connection that has waited for longest, whoever's it is, if any is open: for when there are no descriptors left.
    mutating func evictOldest() -> Int32? {
        while let place = order.first {
            order.removeFirst()
            guard holds(place) else { continue }
            close(place.descriptor)
            return place.descriptor
        }
        return nil
    }

    private mutating func evictOldest(of peer: UInt32) -> Int32? {
        while let place = peers[peer]?.queue.first {
            peers[peer]?.queue.removeFirst()
            guard holds(place) else { continue }
            close(place.descriptor)
            return place.descriptor
        }
        return nil
    }

    private func holds(_ place: Place) -> Bool {
        guard let connection = connections[place.descriptor] else { return false }
        return connection.step == place.step && !connection.isClosing
    }

    private mutating func enqueue(_ descriptor: Int32, at time: Int64) {
        guard let peer = connections[descriptor]?.peer else { return }
        steps += 1
        connections[descriptor]?.step = steps
        let place = Place(descriptor: descriptor, step: steps, deadline: time + limits.patience)
        order.append(place)
        peers[peer]?.queue.append(place)
        // One client with many requests on one connection leaves places behind in its own queue.
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
        leave(connection.peer)
    }

    private mutating func leave(_ peer: UInt32) {
        open -= 1
        guard let left = peers[peer]?.count else { return }
        if left <= 1 { peers[peer] = nil } else { peers[peer]?.count = left - 1 }
    }
}
