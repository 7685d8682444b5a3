import Events
import Flywheel
import JSON
import PipelineTesting
import Rollout
import StreamRuntime
import StreamTesting
import Testing
import Vocabulary

@testable import Intake

@Suite("Feedback of an hour: beyond the capacity, users are drawn")
struct FeedbackRoomTests {
    private static let project = ProjectID("shapes")
    private static let hour: Int64 = 3_600_000

    /// The draw of a user, evenly distributed.
    private func draw(_ user: Int) -> Double { Double(user * 7_919 % 10_000) / 10_000 }

    @Test("All is accepted up to half of the capacity; then half of the users, a quarter, and never beyond it")
    func burst() {
        var room = FeedbackRoom()
        var shares: [Double] = []
        var admitted = 0
        for number in 0..<1_000_000 {
            guard
                let share = room.admit(
                    Self.project,
                    limit: 1_000,
                    draw: draw(number % 10_000),
                    at: 0,
                    share: 1
                )
            else { continue }
            admitted += 1
            if shares.last != share { shares.append(share) }
        }
        #expect(shares.prefix(4) == [1, 0.5, 0.25, 0.125] && shares == shares.sorted(by: >), "\(shares)")
        #expect((900...1_000).contains(admitted), "\(admitted)")
    }

    @Test("A steady flood settles at the rate that the hour allows, always with the same users")
    func steady() {
        var room = FeedbackRoom()
        var (admitted, users): (Int, Set<Int>) = (0, [])
        // Ten a second, of which 3,600 an hour are allowed, for ten hours.
        for number in 0..<360_000 {
            let user = number % 1_000
            let time = Int64(number) * 100
            guard let share = room.admit(Self.project, limit: 3_600, draw: draw(user), at: time, share: 1) else {
                continue
            }
            guard time > 5 * Self.hour else { continue }
            admitted += 1
            users.insert(user)
            #expect(share <= 0.25)
        }
        #expect((5 * 3_300...5 * 3_900).contains(admitted), "\(admitted)")
        #expect(users.count < 300, "\(users.count)")
    }

    /// Before: for half an hour after a flood of a few seconds, only the feedback of one user in a hundred was
    /// accepted.
    @Test("A minute after a flood as many users are accepted as an hour's capacity allows")
    func afterwards() {
        var room = FeedbackRoom()
        var admittedInFlood = 0
        for number in 0..<200_000 {
            let time = Int64(number) / 50
            let isAdmitted =
                room.admit(Self.project, limit: 10_000, draw: draw(number % 10_000), at: time, share: 1) != nil
            if isAdmitted { admittedInFlood += 1 }
        }
        #expect((5_000...10_100).contains(admittedInFlood), "\(admittedInFlood)")
        var admittedLater = 0
        for number in 0..<2_400 {
            let time = 64_000 + Int64(number) * 50
            let isAdmitted =
                room.admit(Self.project, limit: 10_000, draw: draw(number % 9_973), at: time, share: 1) != nil
            if isAdmitted { admittedLater += 1 }
        }
        // 20 a second for two minutes, of which 2.8 a second are within the limit, and more until the rate is known.
        #expect((250...600).contains(admittedLater), "\(admittedLater)")
    }

    @Test("Capacity used by an aborted transaction is free again, and a worker has only its share of the capacity")
    func transactions() {
        var room = FeedbackRoom()
        func admit() -> Bool { room.admit(Self.project, limit: 40, draw: 0, at: 0, share: 0.25) != nil }
        for _ in 0..<2 {
            for _ in 0..<10 { #expect(admit()) }
            #expect(!admit())
            room.aborted()
        }
        for _ in 0..<10 { #expect(admit()) }
        room.committed()
        room.aborted()
        #expect(!admit())
        // A clock that jumps back adds no capacity.
        #expect(room.admit(Self.project, limit: 40, draw: 0, at: -Self.hour, share: 0.25) == nil)
        #expect(room.admit(Self.project, limit: 40, draw: 0, at: Self.hour, share: 0.25) != nil)
        #expect(room.admit(ProjectID("other"), limit: 40, draw: 0.9, at: 0, share: 0.25) == 1)
    }

    @Test(
        "A flood of feedback is counted in full and journaled in part, with its probability, without dead letters"
    )
    func flood() throws {
        let usual = Scenario.configuration()
        var rollout = usual.rollout
        rollout.feedbackPerHour = 400
        let pipeline = try Pipeline(
            configuration: ProjectConfiguration(
                project: usual.project,
                revision: usual.revision,
                partition: usual.partition,
                question: usual.question,
                acquisition: usual.acquisition,
                labeling: usual.labeling,
                datasets: usual.datasets,
                training: usual.training,
                rollout: rollout
            )
        )
        for number in 0..<20_000 {
            let value =
                #"{"project":"shapes","id":"f\#(number)","sample":"s\#(number)","model":{"version":"v1"},"user":"u\#(number % 500)","verdict":"confirmation"}"#
            try pipeline.send(.feedback, Array(value.utf8), partition: Int32(number % 2))
        }
        let intake = try pipeline.makeIntake()
        try intake.settle()
        let counts = try #require(intake.processor as? IntakeProcessor).counts
        #expect(counts.read == 20_000 && counts.accepted == 20_000 && counts.deadTotal == 0 && counts.droppedTotal == 0)
        let entries = try pipeline.decoded(.journal) { try JournalEntry(json: $0) }.compactMap {
            if case .feedback(let feedback) = $0.body { feedback } else { nil }
        }
        #expect((300...410).contains(entries.count), "\(entries.count)")
        #expect(counts.feedbackLeftOut == 20_000 - Int64(entries.count))
        let shares = Set(entries.map(\.inclusionProbability))
        #expect(shares.isSuperset(of: [1, 0.5, 0.25]), "\(shares)")
        // Every user that is selected at a quarter is also selected at a half.
        let quarter = Set(entries.filter { $0.inclusionProbability <= 0.25 }.map(\.user))
        #expect(quarter.count < 250)
        var counted: Int64 = 0
        for record in pipeline.cluster.committed(pipeline.topics[.tallies], Scenario.partition) {
            counted += try JSONParser().withDocument(of: record.value ?? []) { try $0.object().int64("feedback") }
        }
        #expect(counted == 20_000)
    }

    @Test("A worker's own limit omits feedback without refusing it")
    func worker() throws {
        let pipeline = try Pipeline()
        for number in 0..<300 {
            let value =
                #"{"project":"shapes","id":"f\#(number)","sample":"s","model":{"version":"v1"},"user":"u\#(number)","verdict":"rejection"}"#
            try pipeline.send(.feedback, Array(value.utf8))
        }
        var limits = EntryLimits.usual
        limits.entries[.feedback] = 100
        let intake = try pipeline.makeIntake(entryLimits: limits)
        try intake.settle()
        let counts = try #require(intake.processor as? IntakeProcessor).counts
        #expect(counts.feedbackLeftOut == 200 && counts.deadTotal + counts.droppedTotal == 0)
        #expect(pipeline.cluster.committed(pipeline.topics[.deadLetters]).isEmpty)
    }
}
