internal import Glibc
public import Statistics

/// Target with deliberate faults, for the test of the runner: a trap, an iteration that does not end, and a law that
/// does not hold.
public final class PlantedTarget: FuzzTarget {
    public let name = "planted"
    public let weight = 1.0

    public init() {}

    public func run(_ generator: inout SplitMix64, _ recorder: InputRecorder, _ outcomes: inout FuzzOutcomes) throws {
        let number =
            generator.next(below: 100) < 98 ? generator.next(below: 12) : generator.pick([13, 13, 13, 14, 14, 14, 15])
        recorder.step(["number": .word("7")])
        recorder.step(["number": .word("\(number)")])
        try check(number)
    }

    public func replay(_ steps: [JSONTree], _ outcomes: inout FuzzOutcomes) throws {
        for step in steps { try check(step["number"]?.int ?? 0) }
    }

    private func check(_ number: Int) throws {
        switch number {
        case 13:
            // The sum of an unbounded external number.
            let sum = Int8(truncatingIfNeeded: number + 114) + 1
            throw FuzzFault("no trap, but \(sum)")
        case 14: throw FuzzFault("a law that does not hold")
        case 15:
            while sleep(1) == 0 {}
        default: break
        }
    }
}
