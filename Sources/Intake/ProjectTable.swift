internal import Flywheel
internal import Vocabulary

/// Projects that Intake knows, found by the bytes of their names and modified in place.
///
/// A project stays at its own address until it is removed: Swift's safety measures for mutable class members (checks of
/// exclusive access, reference counts) would cost more than the scan of a prediction.
final class ProjectTable {
    typealias Slot = UnsafeMutablePointer<IntakeProject>

    /// View that finds projects without access to the table's object.
    struct View {
        fileprivate let names: NameView
        /// All projects, in no particular order.
        let slots: UnsafeBufferPointer<Slot>

        /// The project with a name that is followed by at least seven readable bytes.
        ///
        /// - Complexity: O(1); no allocation, no reference counting.
        @inline(__always)
        subscript(padded name: UnsafeRawBufferPointer) -> Slot? {
            guard let number = names.find(padded: name) else { return nil }
            return slots[number]
        }
    }

    private var names = NameTable()
    private var slots = UnsafeMutablePointer<Slot>.allocate(capacity: 1)
    private var capacity = 1
    private var count = 0

    deinit {
        for index in 0..<count { free(slots[index]) }
        slots.deallocate()
    }

    /// View of the table; valid until a project is set or removed.
    var view: View { View(names: names.view, slots: UnsafeBufferPointer(start: slots, count: count)) }

    subscript(name: String) -> Slot? {
        var copy = name
        return copy.withUTF8 { names.find(UnsafeRawBufferPointer($0)) }.map { slots[$0] }
    }

    /// All projects, sorted by name.
    var all: [Slot] {
        (0..<count).map { slots[$0] }.sorted { $0.pointee.configuration.project < $1.pointee.configuration.project }
    }

    /// Adds a project, or replaces the project of that name.
    func set(_ project: IntakeProject) {
        let name = project.configuration.project.rawValue
        if let slot = self[name] {
            slot.pointee = project
            return
        }
        let slot = Slot.allocate(capacity: 1)
        slot.initialize(to: project)
        if count == capacity { grow() }
        names.insert(name, count)
        slots[count] = slot
        count += 1
    }

    private func grow() {
        let larger = UnsafeMutablePointer<Slot>.allocate(capacity: capacity * 2)
        larger.update(from: slots, count: count)
        slots.deallocate()
        (slots, capacity) = (larger, capacity * 2)
    }

    /// Removes all projects for which `isGone` is true.
    func remove(where isGone: (IntakeProject) -> Bool) {
        guard (0..<count).contains(where: { isGone(slots[$0].pointee) }) else { return }
        names = NameTable()
        var kept = 0
        for index in 0..<count {
            let slot = slots[index]
            if isGone(slot.pointee) {
                free(slot)
            } else {
                names.insert(slot.pointee.configuration.project.rawValue, kept)
                slots[kept] = slot
                kept += 1
            }
        }
        count = kept
    }

    private func free(_ slot: Slot) {
        slot.deinitialize(count: 1)
        slot.deallocate()
    }
}
