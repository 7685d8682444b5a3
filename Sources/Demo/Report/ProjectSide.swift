/// One of the two projects that the page compares.
enum ProjectSide: String, CaseIterable {
    case active, random

    /// Name of the project on the page, as in `Active`.
    var title: String {
        switch self {
        case .active: "Active"
        case .random: "Random"
        }
    }

    /// Strategy of the project, in words.
    var summary: String {
        switch self {
        case .active: "asks about what teaches most"
        case .random: "asks at random"
        }
    }

    /// Marks of this project on the curves.
    var shape: SVG.Shape {
        switch self {
        case .active: .disc
        case .random: .square
        }
    }

    /// A coloured sign with the project's name; shape and name distinguish it as well as colour.
    var badge: Markup { "<span class=\"badge\">\(SVG.key(shape, rawValue))\(title)</span>" }
}

extension DemoSnapshot {
    subscript(side: ProjectSide) -> ProjectView {
        switch side {
        case .active: active
        case .random: random
        }
    }

    /// The side of the project with a name.
    func side(named name: String?) -> ProjectSide? {
        guard let name else { return nil }
        return ProjectSide.allCases.first { self[$0].name == name }
    }

    /// Minimum end of the time axis, in seconds; the axis begins at 0.
    var horizon: Double {
        let moments = events.map(\.at) + active.releases.map(\.at) + random.releases.map(\.at) + [elapsed, duration, 1]
        return moments.filter(\.isFinite).max() ?? 1
    }

    /// Progress of the run, in `0...1`.
    var progress: Double {
        if isFinished { return 1 }
        guard duration > 0, elapsed.isFinite else { return 0 }
        return min(1, max(0, elapsed / duration))
    }
}

extension DemoSnapshot.ProjectView {
    /// The final accuracy, or that of the newest evaluated model.
    var accuracy: Double? { finalAccuracy ?? curve.last?.accuracy }
}
