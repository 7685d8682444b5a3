/// Table of names, each with a small number, that are found by their bytes without creating a `String`.
///
/// Open addressing over the first and the last eight bytes, and for longer names over the bytes between them. Names are
/// from the configuration or bounded in number, so that a flood of names made to collide costs a bounded search.
struct NameTable {
    /// Owner of the memory that a view reads.
    private final class Storage {
        let slots: UnsafeMutablePointer<Slot>
        /// Names of more than 16 bytes, one after the other.
        let longNames: UnsafeMutablePointer<UInt8>

        init(_ capacity: Int, longBytes: Int) {
            slots = .allocate(capacity: capacity)
            slots.initialize(repeating: Slot(), count: capacity)
            longNames = .allocate(capacity: max(1, longBytes))
        }

        deinit {
            slots.deallocate()
            longNames.deallocate()
        }
    }

    fileprivate struct Slot {
        var head: UInt64 = 0
        var tail: UInt64 = 0
        var length: Int32 = -1
        var value: Int32 = 0
        /// Offset in `longNames` of a name of more than 16 bytes.
        var start: Int = 0
    }

    private var storage: Storage
    private var names: ContiguousArray<(name: ContiguousArray<UInt8>, value: Int)> = []
    private var longBytes = 0
    /// View for lookups; it is valid while the table lives and is not changed.
    private(set) var view: NameView

    var count: Int { names.count }

    init() {
        storage = Storage(16, longBytes: 0)
        view = NameView(slots: storage.slots, longNames: storage.longNames, mask: 15, factor: NameView.factors[0])
    }

    /// Creates a table that numbers `names` by their position; of equal names, the first one counts.
    init(_ names: [String]) {
        self.init()
        for (position, name) in names.enumerated() { append(Array(name.utf8), position) }
        rebuild()
    }

    /// The number of a name; nil of one that is not in the table.
    ///
    /// - Complexity: O(*length*) on average; no allocation.
    func find(_ name: UnsafeRawBufferPointer) -> Int? { view.find(name) }

    /// Adds a name, unless it is there.
    mutating func insert(_ name: String, _ value: Int) {
        var copy = name
        copy.withUTF8 { insert(UnsafeRawBufferPointer($0), value) }
    }

    /// Adds a name, unless it is there.
    mutating func insert(_ name: UnsafeRawBufferPointer, _ value: Int) {
        guard find(name) == nil else { return }
        append(name, value)
        // Also rebuild if a copy of the table shares the slots: the copy keeps the old ones.
        if name.count > 16 || names.count * 4 > view.mask + 1 || !isKnownUniquelyReferenced(&storage) {
            rebuild()
        } else {
            _ = insert(name, value, longStart: 0)
        }
    }

    private mutating func append(_ name: some Collection<UInt8>, _ value: Int) {
        names.append((ContiguousArray(name), value))
        if name.count > 16 { longBytes += name.count }
    }

    /// Rebuilds the slots, if possible such that every name is in the first slot that a search checks.
    private mutating func rebuild() {
        var capacity = 16
        while capacity < names.count * 4 { capacity *= 2 }
        for factor in NameView.factors {
            storage = Storage(capacity, longBytes: longBytes)
            view = NameView(slots: storage.slots, longNames: storage.longNames, mask: capacity - 1, factor: factor)
            var (isPerfect, longStart) = (true, 0)
            for (name, value) in names {
                name.withUnsafeBytes { name in
                    guard view.find(name) == nil else { return }
                    if !insert(name, value, longStart: longStart) { isPerfect = false }
                    if name.count > 16 { longStart += name.count }
                }
            }
            if isPerfect { return }
        }
    }

    /// Inserts a name into a free slot; returns whether it is the first slot that a search checks.
    private func insert(_ name: UnsafeRawBufferPointer, _ value: Int, longStart: Int) -> Bool {
        let head = NameView.head(of: name)
        let tail = NameView.tail(of: name, head)
        let first = view.slot(head ^ NameView.middle(of: name), tail, name.count)
        var index = first
        while storage.slots[index].length >= 0 { index = (index + 1) & view.mask }
        if name.count > 16 {
            UnsafeMutableRawBufferPointer(start: storage.longNames + longStart, count: name.count).copyMemory(
                from: name
            )
        }
        storage.slots[index] = Slot(
            head: head,
            tail: tail,
            length: Int32(name.count),
            value: Int32(value),
            start: longStart
        )
        return index == first
    }
}

/// View that looks up names in a table owned elsewhere: no reference counting, copies or checks.
struct NameView {
    fileprivate let slots: UnsafePointer<NameTable.Slot>
    fileprivate let longNames: UnsafePointer<UInt8>
    fileprivate let mask: Int
    fileprivate let factor: UInt64

    /// Odd multipliers for mixing; for a small number of names, one of them usually avoids collisions.
    fileprivate static let factors: ContiguousArray<UInt64> = [
        0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93, 0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB,
        0x8EBC_6AF0_9C88_C6E3, 0x5899_65CC_7537_4CC3, 0x1D8E_4E27_C47D_124F, 0xEB44_ACCA_B455_D165,
    ]

    /// The number of a name; nil of one that is not in the table.
    ///
    /// - Complexity: O(*length*) on average; no allocation, no reference counting.
    func find(_ name: UnsafeRawBufferPointer) -> Int? {
        let head = Self.head(of: name)
        return find(name, head, Self.tail(of: name, head))
    }

    /// Finds a name that is followed by at least seven readable bytes of any value: one load instead of a loop.
    @inline(__always)
    func find(padded name: UnsafeRawBufferPointer) -> Int? {
        guard let start = name.baseAddress else { return find(name, 0, 0) }
        let word = start.loadUnaligned(as: UInt64.self).littleEndian
        // For an empty name the shift by 64 would be a shift by 0, but empty names are not looked up here.
        let unused = UInt64(truncatingIfNeeded: name.count >= 8 ? 0 : (8 &- name.count) &* 8)
        let head = (word &<< unused) &>> unused
        // The length of the next name cannot be predicted: no branch.
        let last = start.loadUnaligned(fromByteOffset: max(0, name.count &- 8), as: UInt64.self)
        return find(name, head, name.count > 8 ? last : head)
    }

    /// Returns a mix of the bytes between the first and the last eight, in which names of one form differ; 0 for up
    /// to 16 bytes.
    fileprivate static func middle(of name: UnsafeRawBufferPointer) -> UInt64 {
        guard name.count > 16, let start = name.baseAddress else { return 0 }
        var mixed: UInt64 = 0
        for offset in stride(from: 8, to: name.count - 8, by: 8) {
            // The last word overlaps the tail.
            let word = start.loadUnaligned(fromByteOffset: min(offset, name.count - 8), as: UInt64.self).littleEndian
            mixed = (mixed ^ word) &* factors[0]
            mixed ^= mixed &>> 29
        }
        return mixed
    }

    @inline(__always)
    private func find(_ name: UnsafeRawBufferPointer, _ head: UInt64, _ tail: UInt64) -> Int? {
        var index = slot(name.count > 16 ? head ^ Self.middle(of: name) : head, tail, name.count)
        while true {
            let slot = slots + index
            if slot.pointee.head == head, slot.pointee.tail == tail, Int(slot.pointee.length) == name.count,
                name.count <= 16 || isEqual(name, slot.pointee.start)
            {
                return Int(slot.pointee.value)
            }
            if slot.pointee.length < 0 { return nil }
            index = (index &+ 1) & mask
        }
    }

    private func isEqual(_ name: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        for index in 0..<name.count where longNames[start &+ index] != name[index] { return false }
        return true
    }

    /// The first eight bytes; a shorter name is padded with zeros.
    fileprivate static func head(of name: UnsafeRawBufferPointer) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<min(8, name.count) { word |= UInt64(name[index]) &<< UInt64(index &* 8) }
        return word
    }

    /// The last eight bytes of a name of more than eight bytes; otherwise its head.
    fileprivate static func tail(of name: UnsafeRawBufferPointer, _ head: UInt64) -> UInt64 {
        guard name.count > 8, let start = name.baseAddress else { return head }
        return start.loadUnaligned(fromByteOffset: name.count &- 8, as: UInt64.self)
    }

    @inline(__always)
    fileprivate func slot(_ head: UInt64, _ tail: UInt64, _ length: Int) -> Int {
        let mixed = (head ^ (tail &<< 29 | tail &>> 35) ^ UInt64(truncatingIfNeeded: length)) &* factor
        return Int(truncatingIfNeeded: mixed &>> 32) & mask
    }
}
