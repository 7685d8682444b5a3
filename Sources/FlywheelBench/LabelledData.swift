import Foundation
import Statistics

/// A labelled data set: rows of numbers and the class of each.
struct LabelledData {
    /// One row of finite numbers for each sample.
    var features: [[Double]]
    /// Index into `classes`, one for each row.
    let labels: [Int]
    /// Names of the classes, in ascending order; ordered as numbers if all of them are numbers.
    let classes: [String]

    /// Scaling of the columns. `max` divides all of them by the largest magnitude of the whole table.
    enum Scale: String, CaseIterable { case none, max, standard }

    /// Creates a data set of generated rows, with one label for each.
    init(features: [[Double]], labels: [Int], classes: [String]) {
        self.features = features
        self.labels = labels
        self.classes = classes
    }

    /// Reads a table of comma-separated values, with or without a header.
    ///
    /// - Parameters:
    ///   - path: The file; lines that begin with `@` or `%` (ARFF, KEEL) are skipped.
    ///   - column: The label's column: its name if there is a header, else its number from 1.
    ///   - scale: The scaling of the columns to one scale.
    /// - Throws: `BenchmarkError` that names the line and column of a value that cannot be read.
    init(path: String, labelColumn column: String, scale: Scale) throws {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw BenchmarkError("\(path): cannot be read as UTF-8 text")
        }
        var rows: [(line: Int, cells: [Substring])] = []
        // Split by character, because a line ending may be two bytes.
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (number, line) in lines.enumerated() {
            guard let first = line.first, first != "@", first != "%" else { continue }
            let cells = line.split(separator: ",", omittingEmptySubsequences: false).map(Self.trimmed)
            rows.append((number + 1, cells))
        }
        guard let first = rows.first else { throw BenchmarkError("\(path): there is no row") }
        // The first line is a header if one of its cells is not a number but the cell below it is.
        let second = rows.count > 1 ? rows[1].cells : []
        let isHeader = zip(first.cells, second).contains { Double($0) == nil && Double($1) != nil }
        let index: Int
        if isHeader, let named = first.cells.firstIndex(where: { $0 == column }) {
            index = named
        } else if let number = Int(column), (1...first.cells.count).contains(number) {
            index = number - 1
        } else {
            let known = isHeader ? first.cells.joined(separator: ", ") : "numbers 1 to \(first.cells.count)"
            throw BenchmarkError("\(path): no column \"\(column)\"; there are \(known)")
        }
        if isHeader { rows.removeFirst() }
        var features: [[Double]] = []
        var names: [String] = []
        for row in rows {
            guard row.cells.count == first.cells.count else {
                throw BenchmarkError(
                    "\(path) line \(row.line): expected \(first.cells.count) cells, found \(row.cells.count)"
                )
            }
            var values: [Double] = []
            for (position, cell) in row.cells.enumerated() where position != index {
                guard let value = Double(cell), value.isFinite else {
                    throw BenchmarkError(
                        "\(path) line \(row.line), column \(position + 1): expected a finite number, found \"\(cell.prefix(40))\""
                    )
                }
                values.append(value)
            }
            features.append(values)
            names.append(String(row.cells[index]))
        }
        let distinct = Set(names)
        classes =
            distinct.allSatisfy { Double($0) != nil }
            ? distinct.sorted { (Double($0) ?? 0, $0) < (Double($1) ?? 0, $1) } : distinct.sorted()
        guard classes.count > 1 else {
            throw BenchmarkError("\(path): expected at least two classes, found \(classes)")
        }
        var position: [String: Int] = [:]
        for (index, name) in classes.enumerated() { position[name] = index }
        labels = names.map { position[$0] ?? 0 }
        self.features = Self.scaled(features, scale)
    }

    private static func trimmed(_ cell: Substring) -> Substring {
        var cell = cell
        while let first = cell.first, first == " " || first == "\"" { cell = cell.dropFirst() }
        while let last = cell.last, last == " " || last == "\"" { cell = cell.dropLast() }
        return cell
    }

    private static func scaled(_ rows: [[Double]], _ scale: Scale) -> [[Double]] {
        switch scale {
        case .none: return rows
        case .max:
            var largest = 0.0
            for row in rows { for value in row { largest = Swift.max(largest, abs(value)) } }
            return largest > 0 ? rows.map { $0.map { $0 / largest } } : rows
        case .standard:
            var rows = rows
            for column in rows[0].indices {
                let values = rows.map { $0[column] }
                let mean = values.reduce(0, +) / Double(values.count)
                let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
                let deviation = variance > 0 ? variance.squareRoot() : 1
                for row in rows.indices { rows[row][column] = (rows[row][column] - mean) / deviation }
            }
            return rows
        }
    }

    /// Splits the rows at random into two parts with the same proportions of classes.
    func stratifiedSplit(testShare: Double, using generator: inout SplitMix64) -> (train: [Int], test: [Int]) {
        var train: [Int] = []
        var test: [Int] = []
        for label in classes.indices {
            var rows = labels.indices.filter { labels[$0] == label }
            SeededSampling.shuffle(&rows, using: &generator)
            let count = Int((Double(rows.count) * testShare).rounded())
            test += rows.prefix(count)
            train += rows.dropFirst(count)
        }
        SeededSampling.shuffle(&train, using: &generator)
        return (train, test)
    }
}
