import Dates
import Foundation
import Testing

@Suite("Civil dates")
struct CivilDateTests {
    @Test("Conversions between days and dates are inverse and without gaps over ten thousand years")
    func inverse() {
        var before = CivilDate(daysSince1970: -2_000_001)
        for days in stride(from: Int64(-2_000_000), through: 2_000_000, by: 1) {
            let date = CivilDate(daysSince1970: days)
            guard date.daysSince1970 == days, (1...12).contains(date.month), (1...31).contains(date.day) else {
                Issue.record("day \(days) is \(date)")
                return
            }
            let isNext =
                date.day == before.day + 1 && date.month == before.month && date.year == before.year
                || date.day == 1
                    && (date.month == before.month + 1 && date.year == before.year
                        || date.month == 1 && before.month == 12 && date.year == before.year + 1)
            guard isNext else {
                Issue.record("\(date) follows \(before)")
                return
            }
            before = date
        }
    }

    @Test("Dates agree with those of Foundation's calendar")
    func foundation() throws {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for days in stride(from: Int64(-100_000), through: 2_900_000, by: 997) {
            let parts = calendar.dateComponents(
                [.year, .month, .day],
                from: Date(timeIntervalSince1970: Double(days) * 86_400)
            )
            let date = CivilDate(daysSince1970: days)
            #expect(parts.year.map(Int64.init) == date.year && parts.month.map(Int64.init) == date.month)
            #expect(parts.day.map(Int64.init) == date.day)
        }
    }
}
