internal import Flywheel
internal import Vocabulary

/// The projects that Intake knows, found by the bytes of their names and worked on in place.
///
/// A project stands at its own address until it is removed: what Swift does for the safety of class members that change
/// (checks of exclusive access, reference counts) would cost more than the look at a prediction.
final class ProjectTable {
    typealias Place = UnsafeMutablePointer<IntakeProject>

    /// Finds projects without the table's object.
    struct View {
        fileprivate let names: NameView
        /// All of them, in no order that means anything.
        let places: UnsafeBufferPointer<Place>

        /// The project of a name behind which seven more bytes can be read.
        ///
        /// - Complexity: O(1); no allocation, no reference counting.
        @inline(__always)
        subscript(padded name: UnsafeRawBufferPointer) -> Place? {
            guard let number = names.find(padded: name) else { return nil }
            return places[number]
        }
    }

    private var names = NameTable()
    private var places = UnsafeMutablePointer<Place>.allocate(capacity: 1)
    private var capacity = 1
    private var count = 0

    deinit {
        for index in 0..<count { free(places[index]) }
        places.deallocate()
    }

    /// It holds until a project is set or removed.
    var view: View { View(names: names.view, places: UnsafeBufferPointer(start: places, count: count)) }

    subscript(name: String) -> Place? {
        var copy = name
        return copy.withUTF8 { names.find(UnsafeRawBufferPointer($0)) }.map { places[$0] }
    }

    /// All of them, by name.
    var all: [Place] {
        (0..<count).map { places[$0] }.sorted { $0.pointee.configuration.project < $1.pointee.configuration.project }
    }

    /// Adds a project, or puts another in the place of the one of that name.
    func set(_ project: IntakeProject) {
        let name = project.configuration.project.rawValue
        if let place = self[name] {
            place.pointee = project
            return
        }
        let place = Place.allocate(capacity: 1)
        place.initialize(to: project)
        if count == capacity { grow() }
        names.insert(name, count)
        places[count] = place
        count += 1
    }

    private func grow() {
        let larger = UnsafeMutablePointer<Place>.allocate(capacity: capacity * 2)
        larger.update(from: places, count: count)
        places.deallocate()
        (places, capacity) = (larger, capacity * 2)
    }

    /// Removes all projects for which `isGone` is true.
    func remove(where isGone: (IntakeProject) -> Bool) {
        guard (0..<count).contains(where: { isGone(places[$0].pointee) }) else { return }
        names = NameTable()
        var kept = 0
        for index in 0..<count {
            let place = places[index]
            if isGone(place.pointee) {
                free(place)
            } else {
                names.insert(place.pointee.configuration.project.rawValue, kept)
                places[kept] = place
                kept += 1
            }
        }
        count = kept
    }

    private func free(_ place: Place) {
        place.deinitialize(count: 1)
        place.deallocate()
    }
}
