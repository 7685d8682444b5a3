internal import DatasetFiles
internal import Events
internal import JSON
internal import Learner
internal import Vocabulary

/// Labels of one split of a version, in the order of the log, in the form used for training: 24 bytes each, plus their
/// embeddings in single precision.
struct TrainingRows {
    /// Dimension and space of an embedding; labels of one kind can be trained on together.
    private struct EmbeddingKind: Hashable {
        let dimension: Int
        /// Space of the embedding; nil if the line does not name it.
        let space: SpaceID?
    }

    /// Reason why a label cannot be used.
    private enum Fault {
        case line, space, dimension, notFinite, tooFar
    }

    /// Positions of the classes in the manifest; −1 of lines that have a fault in themselves.
    private var classes: [Int32] = []
    /// Positions in `kinds`; −1 of lines that have a fault in themselves.
    private var kindOf: [Int32] = []
    private var norms: [Double] = []
    /// Numbers of the lines, ascending; 0 in form 1.
    private(set) var sequences: [Int64] = []
    private var kinds: [EmbeddingKind] = []
    private var kindPositions: [EmbeddingKind: Int32] = [:]
    /// Embeddings, one after the other, by their number of coordinates.
    private var embeddings: [Int: [Float]] = [:]
    /// The first line that has a fault in itself, and a description of the fault.
    private var firstFault: (row: Int, text: String)?
    /// Row of `firstFault`.
    var firstFaultRow: Int? { firstFault?.row }
    private var coordinates: [Float] = []
    /// Whether a line names a class that the manifest lacks.
    private(set) var hasUnknownClass = false

    var count: Int { classes.count }

    /// Bytes of the embeddings.
    var size: Int { embeddings.values.reduce(0) { $0.adding($1.count.multiplied(by: MemoryLayout<Float>.size)) } }

    /// Maximum number of rows and bytes for which memory is reserved in advance; a manifest may contain any number.
    private static let reservationLimit = (rows: 1 << 24, bytes: 1 << 30)

    /// Reserves capacity for the given number of labels, and a few that a later version adds.
    mutating func reserve(_ count: Int) {
        let rows = min(Self.reservationLimit.rows, count.adding(count / 8))
        classes.reserveCapacity(rows)
        kindOf.reserveCapacity(rows)
        norms.reserveCapacity(rows)
        sequences.reserveCapacity(rows)
    }

    /// Adds a line; a defect of the line itself is recorded as its fault.
    ///
    /// - Parameters:
    ///   - line: The line.
    ///   - positions: Indices of the manifest's classes.
    ///   - expected: Expected number of labels.
    /// - Throws: `.newerForm` for a line that only a newer build can read: without it, the version has another meaning.
    mutating func append(_ line: BorrowedLine, classes positions: [String: Int], expected: Int) throws(JSONError) {
        var name = "a sample"
        var fault: String?
        sequences.append(line.sequence)
        do throws(JSONError) {
            let object = try line.object.get()
            try DatasetForm.check(line: object)
            let sample = try object.object("sample")
            name = "sample \(try sample.string("id").prefix(64))"
            let className = try object.object("label").string("class")
            coordinates.removeAll(keepingCapacity: true)
            if let array = try sample.optionalArray("embedding") { try array.floats(into: &coordinates) }
            let space = try sample.optionalString("space").map { SpaceID($0) }
            let position = positions[className]
            if let position, !coordinates.isEmpty {
                add(position, space, expected)
                return
            }
            if position == nil { hasUnknownClass = true }
            fault = position == nil ? "its class is not in the manifest" : "it has no embedding"
        } catch  where error.kind == .newerForm {
            throw error
        } catch {
            fault = "its line cannot be read: \(error)"
        }
        if firstFault == nil { firstFault = (classes.count, "\(name): \(fault ?? "")") }
        classes.append(-1)
        kindOf.append(-1)
        norms.append(0)
    }

    private mutating func add(_ position: Int, _ space: SpaceID?, _ expected: Int) {
        let kind = EmbeddingKind(dimension: coordinates.count, space: space)
        let known = kindPositions[kind] ?? Int32(clamping: kinds.count)
        if known == kinds.count {
            kinds.append(kind)
            kindPositions[kind] = known
        }
        classes.append(Int32(clamping: position))
        kindOf.append(known)
        norms.append(EmbeddingSpace.norm(of: coordinates))
        if embeddings[kind.dimension] == nil {
            var room: [Float] = []
            // Other dimensions than the first one are exceptions.
            if embeddings.isEmpty {
                let wanted = expected.adding(expected / 8).multiplied(by: kind.dimension)
                room.reserveCapacity(min(wanted, Self.reservationLimit.bytes / MemoryLayout<Float>.size))
            }
            embeddings[kind.dimension] = room
        }
        embeddings[kind.dimension]?.append(contentsOf: coordinates)
    }

    /// Removes rows by their indices, which are ascending.
    mutating func compact(without removed: [Int]) {
        for dimension in Array(embeddings.keys) {
            // It is taken out of the dictionary, because with a second owner it would be copied.
            guard var floats = embeddings.removeValue(forKey: dimension) else { continue }
            let left = floats.withUnsafeMutableBufferPointer { floats in
                var (read, write, next) = (0, 0, 0)
                for row in 0..<count where kindOf[row] >= 0 && kinds[Int(kindOf[row])].dimension == dimension {
                    while next < removed.count, removed[next] < row { next += 1 }
                    let isRemoved = next < removed.count && removed[next] == row
                    if !isRemoved {
                        if read > write {
                            for axis in 0..<dimension { floats[write + axis] = floats[read + axis] }
                        }
                        write += dimension
                    }
                    read += dimension
                }
                return write
            }
            floats.removeLast(floats.count - left)
            embeddings[dimension] = floats
        }
        if let fault = firstFault { firstFault = (fault.row - removed.count { $0 < fault.row }, fault.text) }
        classes.remove(at: removed)
        kindOf.remove(at: removed)
        norms.remove(at: removed)
        sequences.remove(at: removed)
    }

    // MARK: - What can be trained on together

    /// Completes the properties that `wanted` leaves open with the values of most labels.
    ///
    /// - Complexity: O(*n* log *n*).
    func geometry(_ wanted: EmbeddingSpace) -> EmbeddingGeometry {
        let isWanted = kinds.map { wanted.name == nil || $0.space == wanted.name }
        var counts: [Int: Int] = [:]
        var kindCounts = [Int](repeating: 0, count: kinds.count)
        for kind in kindOf where kind >= 0 { kindCounts[Int(kind)] += 1 }
        for (index, kind) in kinds.enumerated() where isWanted[index] {
            counts[kind.dimension, default: 0] += kindCounts[index]
        }
        let most = counts.values.max()
        let oldest = kindOf.first { kind in
            kind >= 0 && isWanted[Int(kind)] && counts[kinds[Int(kind)].dimension] == most
        }
        let dimension = wanted.dimension ?? oldest.map { kinds[Int($0)].dimension } ?? 0
        var largest = wanted.norm
        if largest == nil {
            var finiteNorms: [Double] = []
            for (row, kind) in kindOf.enumerated() where kind >= 0 && isWanted[Int(kind)] {
                guard kinds[Int(kind)].dimension == dimension, norms[row] > 0, norms[row].isFinite else { continue }
                finiteNorms.append(norms[row])
            }
            finiteNorms.sort()
            largest =
                finiteNorms.isEmpty
                ? Double.greatestFiniteMagnitude : EmbeddingGeometry.factor * finiteNorms[finiteNorms.count / 2]
        }
        return EmbeddingGeometry(
            space: wanted.name,
            dimension: dimension,
            largestNorm: largest ?? .greatestFiniteMagnitude
        )
    }

    private func fault(_ row: Int, _ geometry: EmbeddingGeometry) -> Fault? {
        guard kindOf[row] >= 0 else { return .line }
        let kind = kinds[Int(kindOf[row])]
        if let space = geometry.space, kind.space != space { return .space }
        guard kind.dimension == geometry.dimension else { return .dimension }
        guard norms[row].isFinite else { return .notFinite }
        return norms[row] <= geometry.largestNorm ? nil : .tooFar
    }

    /// Rows that can be used, ascending.
    func usable(_ geometry: EmbeddingGeometry) -> [Int] { (0..<count).filter { fault($0, geometry) == nil } }

    /// Rows that cannot be used, ascending.
    func unusable(_ geometry: EmbeddingGeometry) -> [Int] { (0..<count).filter { fault($0, geometry) != nil } }

    /// The first row that cannot be used; nil if all can.
    func firstUnusable(_ geometry: EmbeddingGeometry) -> Int? { (0..<count).first { fault($0, geometry) != nil } }

    /// Reason why a row cannot be used, in a sentence that names the sample; nil if it can be used.
    ///
    /// - Parameters:
    ///   - row: Index of the row.
    ///   - geometry: The embeddings that can be used.
    ///   - name: Finds the sample's id by the row's number; called if the fault is not the line's own.
    /// - Returns: The sentence.
    func fault(_ row: Int, _ geometry: EmbeddingGeometry, name: (Int) throws -> String) rethrows -> String? {
        guard let fault = fault(row, geometry) else { return nil }
        if fault == .line, let firstFault, firstFault.row == row { return firstFault.text }
        let sample = "sample \(try name(row).prefix(64))"
        guard fault != .line else { return "\(sample): its line cannot be used" }
        let kind = kinds[Int(kindOf[row])]
        switch fault {
        case .space:
            let found = kind.space.map { "lies in space \($0.rawValue.prefix(64))" } ?? "names no space"
            let wanted = geometry.space?.rawValue.prefix(64) ?? ""
            return "\(sample): its embedding \(found), the request asks for \(wanted)"
        case .dimension:
            return "\(sample): its embedding has \(kind.dimension) dimensions, not \(geometry.dimension)"
        case .notFinite, .line: return "\(sample): its embedding is not finite"
        case .tooFar:
            let (found, most) = (Float(norms[row]), Float(geometry.largestNorm))
            return "\(sample): its embedding has norm \(found), at most \(most) are usable"
        }
    }

    /// The classes of rows.
    func labels(_ rows: [Int]) -> [Int] { rows.map { Int(classes[$0]) } }

    /// Embeddings of rows that can be used, in ascending order. Nothing is copied if these are all embeddings of the
    /// dimension.
    func matrix(_ rows: [Int], _ geometry: EmbeddingGeometry) throws(LearnerError) -> FeatureMatrix {
        let dimension = geometry.dimension
        let all = embeddings[dimension] ?? []
        guard rows.count * dimension != all.count else {
            return try FeatureMatrix(singles: all, columnCount: dimension)
        }
        var chosen: [Float] = []
        chosen.reserveCapacity(rows.count * dimension)
        var (index, next) = (0, 0)
        for row in 0..<count where kindOf[row] >= 0 && kinds[Int(kindOf[row])].dimension == dimension {
            if next < rows.count, rows[next] == row {
                chosen += all[index..<index + dimension]
                next += 1
            }
            index += dimension
        }
        return try FeatureMatrix(singles: chosen, columnCount: dimension)
    }
}

/// Properties of embeddings that can be trained on together: those of the space that the request names; for a property
/// that it leaves open, the value that most training labels agree on.
struct EmbeddingGeometry {
    /// Space that the request names; labels that name another, or none, are left out. Nil if it names none.
    let space: SpaceID?
    /// Dimension that the request names, else the commonest one; of equally common ones that of the oldest label.
    let dimension: Int
    /// Largest norm that the request names, else `factor` times the median of the norms that are not 0. One embedding
    /// with a very large norm makes a fit impossible in all directions, because steps must be small enough for it.
    let largestNorm: Double

    /// Ratio of the largest norm that can be used to the median.
    static let factor = 1_000.0
}
