/// How many dead letters may be written: a flood of bad records must not fill the broker's disks.
struct LetterBudget {
    /// Letters a second; as many bytes at this size.
    let perSecond: Double
    /// Bytes of a usual letter.
    private static let size = 4_096.0
    /// So many seconds' worth may come at once.
    private static let burst = 10.0

    private var letters: Double
    private var bytes: Double
    private var last: Int64?

    init(perSecond: Int) {
        self.perSecond = Double(perSecond)
        letters = self.perSecond * Self.burst
        bytes = letters * Self.size
    }

    /// Whether a letter of so many bytes may be written, at a moment in milliseconds; going back counts as standing still.
    mutating func takes(_ size: Int, at time: Int64) -> Bool {
        let elapsed = Double(max(0, time - (last ?? time))) / 1_000
        last = time
        letters = min(perSecond * Self.burst, letters + elapsed * perSecond)
        bytes = min(perSecond * Self.burst * Self.size, bytes + elapsed * perSecond * Self.size)
        guard letters >= 1, bytes >= Double(size) else { return false }
        letters -= 1
        bytes -= Double(size)
        return true
    }

    /// So many bytes more were written than was asked for: those to come wait for them.
    mutating func charge(_ size: Int) { bytes -= Double(size) }
}
