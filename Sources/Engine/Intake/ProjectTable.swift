internal import Flywheel
internal import Vocabulary

/// The projects that Intake knows, found by the bytes of their names and worked on in place.
///
/// A project stands at its own address until it is removed: what Swift does for the safety of class members that change
/// (checks of exclusive access, reference counts) would cost more than the look at a prediction.
final class ProjectTable {
    typealias Place = UnsafeMutablePointer<IntakeProject>

    private var names = NameTable()
    private var places: ContiguousArray<Place> = []

    deinit { removeAll() }

    /// The project of a name behind which seven more bytes can be read.
    ///
    /// - Complexity: O(1); no allocation.
    @inline(__always)
    subscript(padded name: UnsafeRawBufferPointer) -> Place? { names.find(padded: name).map { places[$0] } }

    subscript(name: String) -> Place? {
        var copy = name
        return copy.withUTF8 { names.find(UnsafeRawBufferPointer($0)) }.map { places[$0] }
    }

    /// All of them, by name.
    var all: [Place] {
        places.sorted { $0.pointee.configuration.project < $1.pointee.configuration.project }
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
        names.insert(name, places.count)
        places.append(place)
    }

    /// Removes all projects for which `isGone` is true.
    func remove(where isGone: (IntakeProject) -> Bool) {
        guard places.contains(where: { isGone($0.pointee) }) else { return }
        var kept: ContiguousArray<Place> = []
        names = NameTable()
        for place in places {
            if isGone(place.pointee) {
                free(place)
            } else {
                names.insert(place.pointee.configuration.project.rawValue, kept.count)
                kept.append(place)
            }
        }
        places = kept
    }

    private func removeAll() {
        for place in places { free(place) }
        places.removeAll()
    }

    private func free(_ place: Place) {
        place.deinitialize(count: 1)
        place.deallocate()
    }
}
