import Dates
import Testing

@Suite("Examples of Dates")
struct DatesExamples {
    @Test func civilDate() {
        let date = CivilDate(daysSince1970: 20_454)
        let days = CivilDate(year: 2026, month: 1, day: 1).daysSince1970
        #expect(date == CivilDate(year: 2026, month: 1, day: 1))
        #expect(days == 20_454)
    }
}
