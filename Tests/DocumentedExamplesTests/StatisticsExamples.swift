import Statistics
import Testing

@Suite struct StatisticsExamples {
    @Test("Thirty wins out of forty are proof at the 5 % level")
    func evidence() {
        let level = 0.05
        let evidence = pairedEProcess(wins: 30, losses: 10)
        let isProven = evidence > Reproducible.log(1 / level)
        #expect(isProven)
        #expect((evidence - 4.146746).magnitude < 1e-5)
    }

    @Test("A run of errors raises the alarm")
    func alarm() {
        var errors = BernoulliCUSUM(normalRate: 0.05, alarmRate: 0.2, averageRunLength: 1_000)
        for isError in [true, false, true, true, true, true, true] { errors?.observe(isError) }
        let isAlarming = errors?.isAlarming
        #expect(isAlarming == true)
    }
}
