public import Forms
public import Vocabulary

extension PairCounts: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        labels = try f("labels", \.labels, Count.counted)
        challengerOnly = try f("challenger_only", \.challengerOnly, Count.counted)
        championOnly = try f("champion_only", \.championOnly, Count.counted)
        let lack = Number(0...0x1p53)
        challengerLack = try f("challenger_lack", \.challengerLack, lack, implied: 0)
        championLack = try f("champion_lack", \.championLack, lack, implied: 0)
    }
}

extension FeedbackWatch: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        negative = try f("negative", \.negative, Count.counted)
        total = try f("total", \.total, Count.counted)
        expectedRate = try f.optional("expected_rate", \.expectedRate, Number.any)
        statistic = try f("statistic", \.statistic, Number.any)
        let buckets = ListOf(Count(0...RolloutState.bucketCount - 1), 0...RolloutState.alarmBuckets)
        negativeBuckets = try f("negative_buckets", \.negativeBuckets, buckets, implied: [])
    }
}

extension UserBucket: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        windowStart = try f("window_start_ms", \.windowStart, Time())
        let number = Integer<Int32>(0...Int32.max)
        count = try f("count", \.count, number, implied: 0)
        serial = try f("serial", \.serial, number, implied: 0)
    }
}

extension Era: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        number = try f("number", \.number, Count.counted)
        promotions = try f("promotions", \.promotions, Count.counted)
        isRunning = try f("running", \.isRunning, Flag())
        logCapital = try f("log_capital", \.logCapital, Number.any)
        currentPair = try f.optional("standing", \.currentPair, Count.counted)
        pairs = try f("pairs", \.pairs, Count.counted)
        opened = try f("opened", \.opened, Count.counted)
        entered = try f("entered", \.entered, Count.counted)
        counts = try f("counts", \.counts, Nested())
        block = try f.optional("block", \.block, Nested())
    }
}

extension EraCounts: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        labels = try f("labels", \.labels, Count.counted)
        wins = try f("wins", \.wins, Count.counted)
        losses = try f("losses", \.losses, Count.counted)
        duels = try f("duels", \.duels, Count.counted)
        settled = try f("settled", \.settled, Count.counted)
        silent = try f("silent", \.silent, Count.counted)
        ofAnotherEra = try f("of_another_era", \.ofAnotherEra, Count.counted)
        late = try f("late", \.late, Count.counted)
        firstOpenedAt = try f.optional("first_opened_at_ms", \.firstOpenedAt, Time())
        lastOpenedAt = try f.optional("last_opened_at_ms", \.lastOpenedAt, Time())
    }
}

extension EraBlock: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        number = try f("number", \.number, Integer(-0x1FFFFFFFFFFFFF...0x1FFFFFFFFFFFFF))
        labels = try f("labels", \.labels, Count.counted)
        bets = try f("bets", \.bets, Number.any)
    }
}

extension BakeEvidence: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        pair = try f("pair", \.pair, Count.counted)
        logCapital = try f("log_capital", \.logCapital, Number.any)
        counts = try f("counts", \.counts, Nested())
        block = try f.optional("block", \.block, Nested())
    }
}

extension RowPair: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        number = try f("number", \.number, Count.counted)
        fixedAt = try f("fixed_at_ms", \.fixedAt, Time())
        awaitedUntil = try f.optional("awaited_until_ms", \.awaitedUntil, Time())
    }
}

extension PairBet: Formed {
    @inlinable public init<F: Fields<Self>>(fields f: inout F) throws(F.Failure) {
        champion = try f("champion", \.champion, ID())
        challenger = try f("challenger", \.challenger, ID())
        labels = try f("labels", \.labels, Count.counted)
        wins = try f("wins", \.wins, Count.counted)
        losses = try f("losses", \.losses, Count.counted)
        sum = try f("sum", \.sum, Number.any)
        squares = try f("squares", \.squares, Number.any)
        priorSum = try f("prior_sum", \.priorSum, Number.any)
        priorSquares = try f("prior_squares", \.priorSquares, Number.any)
        total = try f("total", \.total, Number.any)
        blockLabels = try f("block_labels", \.blockLabels, Count.counted, implied: 0)
        blockSum = try f("block_sum", \.blockSum, Number.any, implied: 0)
    }
}
