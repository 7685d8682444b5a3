import JSON

/// Mean and standard deviation (divided by *n*) of one figure over all seeds; 0 if there are no values.
struct Moments {
    let mean: Double
    let deviation: Double

    init(_ values: [Double]) {
        let count = Double(max(1, values.count))
        let mean = values.reduce(0, +) / count
        self.mean = mean
        deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
    }

    /// Writes both as members of the current JSON object.
    func write(to writer: inout JSONWriter) {
        writer.member("mean", mean)
        writer.member("sd", deviation)
    }
}
