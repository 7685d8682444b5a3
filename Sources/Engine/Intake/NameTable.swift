/// Names by their bytes, each with a small number: looked up without making a `String` of it.
///
/// Open addressing over the first and the last eight bytes; longer names are compared whole. Names come from configuration or
/// are bounded in number, so that a flood of names made to collide costs a bounded search.
struct NameTable {
    private struct Slot {
        var head: UInt64 = 0
        var tail: UInt64 = 0
        var length: Int32 = -1
        /// Where a name of more than 16 bytes stands in `long`.
        var start: Int32 = 0
        var value: Int = 0
    }

    /// Owns the slots; copies of a table share it, so a table that is copied must not grow.
    private final class Storage {
        let slots: UnsafeMutablePointer<Slot>

        init(_ capacity: Int) {
            slots = .allocate(capacity: capacity)
            slots.initialize(repeating: Slot(), count: capacity)
        }

        deinit { slots.deallocate() }
    }

    private var storage: Storage
    private var slots: UnsafeMutablePointer<Slot>
    private var mask: Int
    private var long: ContiguousArray<UInt8> = []
    private(set) var count = 0

    init() {
        storage = Storage(16)
        slots = storage.slots
        mask = 15
    }

    /// Numbers `names` by their position; of equal names the first holds.
    init(_ names: [String]) {
        self.init()
        for (position, name) in names.enumerated() { insert(name, position) }
    }

    /// The number of a name; nil of one that is not in the table.
    ///
    /// - Complexity: O(1) up to 16 bytes, O(*n*) beyond; no allocation, no reference counting.
    func find(_ name: UnsafeRawBufferPointer) -> Int? { find(name, Self.head(of: name)) }

    /// The same of a name behind which seven more bytes can be read, whatever they are: one load instead of a loop.
    @inline(__always)
    func find(padded name: UnsafeRawBufferPointer) -> Int? {
        guard let start = name.baseAddress else { return find(name, 0) }
        let word = start.loadUnaligned(as: UInt64.self).littleEndian
        // A shift by 64 is one by 0, and a name of no bytes is not asked for here.
        let unused = UInt64(max(0, 8 - name.count) &* 8)
        return find(name, (word &<< unused) &>> unused)
    }

    @inline(__always)
    private func find(_ name: UnsafeRawBufferPointer, _ head: UInt64) -> Int? {
        let tail = Self.tail(of: name)
        var index = Self.place(head, tail, name.count) & mask
        while true {
            let slot = slots + index
            if slot.pointee.head == head, slot.pointee.tail == tail, Int(slot.pointee.length) == name.count,
                name.count <= 16 || isEqual(name, from: Int(slot.pointee.start))
            {
                return slot.pointee.value
            }
            if slot.pointee.length < 0 { return nil }
            index = (index + 1) & mask
        }
    }

    /// Adds a name, unless it is there.
    mutating func insert(_ name: String, _ value: Int) {
        var copy = name
        copy.withUTF8 { insert(UnsafeRawBufferPointer($0), value) }
    }

    /// Adds a name, unless it is there.
    mutating func insert(_ name: UnsafeRawBufferPointer, _ value: Int) {
        guard find(name) == nil else { return }
        // Also where a copy shares the slots: it keeps the old ones.
        if (count + 1) * 2 > mask + 1 || !isKnownUniquelyReferenced(&storage) { grow() }
        var start = 0
        if name.count > 16 {
            start = long.count
            long.append(contentsOf: name)
        }
        place(
            Slot(
                head: Self.head(of: name),
                tail: Self.tail(of: name),
                length: Int32(name.count),
                start: Int32(start),
                value: value
            )
        )
        count += 1
    }

    private func place(_ slot: Slot) {
        var index = Self.place(slot.head, slot.tail, Int(slot.length)) & mask
        while slots[index].length >= 0 { index = (index + 1) & mask }
        slots[index] = slot
    }

    private mutating func grow() {
        let (old, oldMask) = (storage, mask)
        storage = Storage((mask + 1) * 2)
        slots = storage.slots
        mask = mask * 2 + 1
        for index in 0...oldMask where old.slots[index].length >= 0 { place(old.slots[index]) }
    }

    private func isEqual(_ name: UnsafeRawBufferPointer, from start: Int) -> Bool {
        long.withUnsafeBytes { stored in
            for index in 0..<name.count where stored[start + index] != name[index] { return false }
            return true
        }
    }

    /// The first eight bytes, zeros behind a shorter name.
    private static func head(of name: UnsafeRawBufferPointer) -> UInt64 {
        var word: UInt64 = 0
        for place in 0..<min(8, name.count) { word |= UInt64(name[place]) &<< UInt64(place &* 8) }
        return word
    }

    /// The last eight bytes of a name of more than eight.
    @inline(__always)
    private static func tail(of name: UnsafeRawBufferPointer) -> UInt64 {
        guard name.count > 8, let start = name.baseAddress else { return 0 }
        return start.loadUnaligned(fromByteOffset: name.count - 8, as: UInt64.self)
    }

    @inline(__always)
    private static func place(_ head: UInt64, _ tail: UInt64, _ length: Int) -> Int {
        let mixed = (head ^ (tail &<< 29 | tail &>> 35) ^ UInt64(truncatingIfNeeded: length)) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed &>> 32)
    }
}
