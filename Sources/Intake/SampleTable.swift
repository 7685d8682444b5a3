internal import Synchronization

/// Table of the queried samples, and of those that wait in a pool: for all projects together, each sample identified by
/// 63 bits of a hash.
///
/// Written by one thread at a time and read by many concurrently: slots are atomic, and readers hold a snapshot. A line
/// of eight slots is compared as a whole, so that no branch depends on its contents. With hashes that cannot be
/// computed from outside, a sample that is not in the table is found there once in 2⁶³ / *n* times.
///
/// From some ten thousand samples on, each takes 12.5 to 15.4 bytes. While a part grows, a sixty-fourth of the table,
/// it exists twice.
final class SampleTable: Sendable {
    enum Status: Hashable, Sendable {
        case unknown
        /// The sample waits to be queried.
        case pooled
        /// The sample was queried, and will not be queried again.
        case queried
    }

    /// Number of parts, each of which grows independently.
    fileprivate static let partCount = 64
    fileprivate static let laneCount = 8
    /// Samples beyond this number are not stored: they are admitted, and the loop ignores them.
    static let capacity = 1 << 24
    private static let limit = capacity / partCount
    /// Value of a slot whose sample was removed; 0 is the value of a slot that never held one.
    private static let removed: UInt64 = 2

    private let published: Mutex<Snapshot>
    private let generation = Atomic<Int>(0)

    init() { published = Mutex(Snapshot((0..<Self.partCount).map { _ in Segment(lines: 1) })) }

    /// Number of snapshots so far: a reader whose snapshot has this number needs no other.
    var snapshotNumber: Int { generation.load(ordering: .acquiring) }

    /// Snapshot for readers. It also shows later changes, except in parts that have grown since.
    var snapshot: Snapshot { published.withLock { $0 } }

    /// Bytes of all slots.
    var byteCount: Int { snapshot.parts.reduce(0) { $0 + $1.lines * Self.laneCount * 8 } }

    /// Samples that are in the table.
    var count: Int { snapshot.parts.reduce(0) { $0 + $1.live } }

    /// Returns the status of a sample; for the writer.
    func status(of hash: UInt64) -> Status {
        let snapshot = snapshot
        return withExtendedLifetime(snapshot) { snapshot.view.status(of: hash) }
    }

    /// Inserts a sample, changes its status, or with `unknown` removes it. One call at a time.
    ///
    /// - Parameters:
    ///   - hash: Hash of project and sample, in 64 bits.
    ///   - status: The status from now on.
    /// - Returns: The previous status.
    /// - Complexity: O(1) on average.
    @discardableResult
    func set(_ hash: UInt64, _ status: Status) -> Status {
        let key = SampleKey(hash)
        let part = snapshot.parts[key.part]
        let (slot, isFound) = part.find(key)
        let old: Status = isFound ? SampleKey.status(of: part[slot]) : .unknown
        guard old != status else { return old }
        guard status != .unknown else {
            part.live -= 1
            part[slot] = Self.removed
            return old
        }
        if !isFound {
            guard part.live < Self.limit else { return old }
            part.live += 1
            if part[slot] == 0 { part.used += 1 }
        }
        part[slot] = key.word(status)
        if part.isFull { rebuild(key.part) }
        return old
    }

    /// Enlarges a part, or drops removed samples from it.
    private func rebuild(_ number: Int) {
        var parts = snapshot.parts
        let old = parts[number]
        let new = Segment(lines: old.live * 25 / (13 * Self.laneCount) + 1)
        for slot in 0..<old.lines * Self.laneCount where old[slot] > SampleTable.removed | 1 {
            let key = SampleKey(word: old[slot])
            new[new.find(key).slot] = old[slot]
        }
        (new.live, new.used) = (old.live, old.live)
        parts[number] = new
        published.withLock { $0 = Snapshot(parts) }
        generation.add(1, ordering: .releasing)
    }

    /// Slots of a part: lines that fill from their first slot on.
    ///
    /// Unchecked, because the compiler cannot check the memory behind a pointer: slots are atomic, and the counts
    /// belong to the one thread that writes.
    fileprivate final class Segment: @unchecked Sendable {
        let lines: Int
        let slots: UnsafeMutablePointer<Atomic<UInt64>>
        /// Slots with a sample, and slots including those whose samples were removed; for the writer.
        var live = 0
        var used = 0

        init(lines: Int) {
            self.lines = lines
            let bytes = lines * laneCount * MemoryLayout<UInt64>.stride
            let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
            slots = memory.assumingMemoryBound(to: Atomic<UInt64>.self)
        }

        deinit { slots.deallocate() }

        /// Whether the part must be rebuilt: with more used slots, lines would overflow too often.
        var isFull: Bool { used * 25 > lines * laneCount * 16 }

        subscript(slot: Int) -> UInt64 {
            get { slots[slot].load(ordering: .relaxed) }
            set { slots[slot].store(newValue, ordering: .relaxed) }
        }

        /// Finds the slot of a key, or the slot into which it would be inserted. There is always a free slot.
        func find(_ key: SampleKey) -> (slot: Int, isFound: Bool) {
            var slot = key.line(of: lines) * laneCount
            var free: Int?
            while true {
                let word = self[slot]
                if key.matches(word) { return (slot, true) }
                if word == 0 { return (free ?? slot, false) }
                if word == SampleTable.removed, free == nil { free = slot }
                slot = slot + 1 == lines * laneCount ? 0 : slot + 1
            }
        }
    }

    /// The parts at one time; readers find samples through its view, which is valid while the snapshot exists.
    ///
    /// Unchecked only because of its pointer: nothing changes after initialization.
    final class Snapshot: @unchecked Sendable {
        fileprivate let parts: [Segment]
        private let views: UnsafeMutablePointer<PartView>

        fileprivate init(_ parts: [Segment]) {
            self.parts = parts
            views = .allocate(capacity: parts.count)
            for (number, part) in parts.enumerated() {
                (views + number).initialize(to: PartView(slots: part.slots, lines: part.lines))
            }
        }

        deinit { views.deallocate() }

        var view: View { View(parts: views) }
    }

    fileprivate struct PartView {
        let slots: UnsafeMutablePointer<Atomic<UInt64>>
        let lines: Int
    }

    /// Finds samples, without a reference count.
    struct View {
        fileprivate let parts: UnsafePointer<PartView>

        /// Returns the status of a sample.
        ///
        /// - Complexity: O(1) on average; one line of memory, seldom two.
        @inline(__always)
        func status(of hash: UInt64) -> Status {
            let key = SampleKey(hash)
            let part = parts[key.part]
            var line = key.line(of: part.lines)
            while true {
                let slots = part.slots + line &* SampleTable.laneCount
                var found: UInt64 = 0
                var last: UInt64 = 0
                for lane in 0..<SampleTable.laneCount {
                    last = slots[lane].load(ordering: .relaxed)
                    found |= key.matches(last) ? last : 0
                }
                if found != 0 { return SampleKey.status(of: found) }
                if last == 0 { return .unknown }
                line = line &+ 1 == part.lines ? 0 : line &+ 1
            }
        }
    }
}

/// 63 bits of a hash, spread so that the upper bits select part and line. The lowest bit of a slot's word states the
/// status.
private struct SampleKey {
    let bits: UInt64

    /// Multiplication by an odd number loses no bits, so only the lowest bit is lost; the upper bits of the product
    /// depend on all bits below.
    @inline(__always)
    init(_ hash: UInt64) {
        let spread = (hash &* 0x9E37_79B9_7F4A_7C15) & ~1
        // Smaller words have a meaning of their own.
        bits = spread < 4 ? spread | 4 : spread
    }

    init(word: UInt64) { bits = word & ~1 }

    @inline(__always)
    var part: Int { Int(truncatingIfNeeded: bits >> 58) }

    @inline(__always)
    func line(of lines: Int) -> Int {
        Int(truncatingIfNeeded: (bits << 6).multipliedFullWidth(by: UInt64(truncatingIfNeeded: lines)).high)
    }

    @inline(__always)
    func matches(_ word: UInt64) -> Bool { word ^ bits < 2 }

    func word(_ status: SampleTable.Status) -> UInt64 { status == .pooled ? bits | 1 : bits }

    @inline(__always)
    static func status(of word: UInt64) -> SampleTable.Status { word & 1 == 1 ? .pooled : .queried }
}
