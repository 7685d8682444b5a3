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
        var value: Int32 = 0
    }

    private var slots: ContiguousArray<Slot>
    private var long: ContiguousArray<UInt8> = []
    private(set) var count = 0

    init() { slots = ContiguousArray(repeating: Slot(), count: 16) }

    /// Numbers `names` by their position; of equal names the first holds.
    init(_ names: [String]) {
        self.init()
        for (position, name) in names.enumerated() { insert(name, position) }
    }

    /// The number of a name; nil of one that is not in the table.
    ///
    /// - Complexity: O(1) up to 16 bytes, O(*n*) beyond; no allocation, no reference counting.
    @inline(__always)
    func find(_ name: UnsafeRawBufferPointer) -> Int? {
        let (head, tail) = Self.ends(of: name)
        let mask = slots.count - 1
        var index = Self.place(head, tail, name.count) & mask
        while true {
            let slot = slots[index]
            if slot.length < 0 { return nil }
            if slot.head == head, slot.tail == tail, Int(slot.length) == name.count,
                name.count <= 16 || isEqual(name, from: Int(slot.start))
            {
                return Int(slot.value)
            }
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
        if (count + 1) * 2 > slots.count { grow() }
        let (head, tail) = Self.ends(of: name)
        var start = 0
        if name.count > 16 {
            start = long.count
            long.append(contentsOf: name)
        }
        place(
            Slot(head: head, tail: tail, length: Int32(name.count), start: Int32(start), value: Int32(value))
        )
        count += 1
    }

    private mutating func place(_ slot: Slot) {
        let mask = slots.count - 1
        var index = Self.place(slot.head, slot.tail, Int(slot.length)) & mask
        while slots[index].length >= 0 { index = (index + 1) & mask }
        slots[index] = slot
    }

    private mutating func grow() {
        let old = slots
        slots = ContiguousArray(repeating: Slot(), count: old.count * 2)
        for slot in old where slot.length >= 0 { place(slot) }
    }

    private func isEqual(_ name: UnsafeRawBufferPointer, from start: Int) -> Bool {
        long.withUnsafeBytes { stored in
            for index in 0..<name.count where stored[start + index] != name[index] { return false }
            return true
        }
    }

    /// All bytes of a name of up to 16, the first and last eight of a longer one.
    @inline(__always)
    private static func ends(of name: UnsafeRawBufferPointer) -> (UInt64, UInt64) {
        guard let start = name.baseAddress else { return (0, 0) }
        let count = name.count
        if count >= 8 {
            return (
                start.loadUnaligned(as: UInt64.self), start.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
            )
        }
        if count >= 4 {
            return (
                UInt64(start.loadUnaligned(as: UInt32.self)),
                UInt64(start.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
            )
        }
        guard count > 0 else { return (0, 0) }
        return (UInt64(name[0]) | UInt64(name[count / 2]) << 8 | UInt64(name[count - 1]) << 16, 0)
    }

    @inline(__always)
    private static func place(_ head: UInt64, _ tail: UInt64, _ length: Int) -> Int {
        let mixed = (head ^ (tail << 29 | tail >> 35) ^ UInt64(truncatingIfNeeded: length)) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 32)
    }
}
