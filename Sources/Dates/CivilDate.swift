/// Date of the Gregorian calendar, extended to all years.
///
/// ```swift
/// let date = CivilDate(daysSince1970: 20_454)
/// let days = CivilDate(year: 2026, month: 1, day: 1).daysSince1970
/// ```
///
/// - SeeAlso: Hinnant (2013), *chrono-Compatible Low-Level Date Algorithms*, `civil_from_days` and `days_from_civil`.
public struct CivilDate: Hashable, Sendable {
    /// Astronomical year: 0 is the year before 1. Within ±10¹⁵.
    public let year: Int64
    /// Month in `1...12`.
    public let month: Int64
    /// Day in `1...31`; the initializer does not check that the month has it.
    public let day: Int64

    public init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Creates the date of a day.
    ///
    /// - Parameter days: Days since 1970-01-01, negative before; within ±10¹⁷.
    public init(daysSince1970 days: Int64) {
        // Counted from 1 March of year 0, in eras of 400 years, so that the leap day ends a year.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01, negative before. A day that the month lacks counts on into the next month.
    public var daysSince1970: Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
