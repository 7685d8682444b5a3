internal import Tables
internal import Vocabulary

/// Where a candidate stands among the useless of a pool: the first to give way least.
struct PoolRank: Comparable, Sendable {
    /// Whether the quota of its slice has room: what waits for a quota must not keep out what does not.
    let hasRoom: Bool
    /// 0 of what waits like any other, else the more the later it comes.
    let setAside: Int
    let ordinal: Int
    let score: Double
    let id: SampleID

    init(_ pooled: PooledCandidate, _ quotas: SliceQuotas?) {
        hasRoom = quotas?.hasRoom(pooled.candidate.sample) ?? true
        setAside = pooled.setAside?.order ?? 0
        ordinal = pooled.modelOrdinal
        score = pooled.score
        id = pooled.candidate.sample.id
    }

    static func < (a: PoolRank, b: PoolRank) -> Bool {
        if a.setAside != b.setAside { return a.setAside > b.setAside }
        if a.hasRoom != b.hasRoom { return b.hasRoom }
        if a.ordinal != b.ordinal { return a.ordinal < b.ordinal }
        return a.score != b.score ? a.score < b.score : a.id > b.id
    }
}

/// A sample's own draw, and its id where draws are equal.
struct AuditDraw: Comparable, Sendable {
    let draw: Double
    let id: SampleID

    init(_ pooled: PooledCandidate) {
        draw = pooled.candidate.auditDraw
        id = pooled.candidate.sample.id
    }

    static func < (a: AuditDraw, b: AuditDraw) -> Bool { a.draw != b.draw ? a.draw < b.draw : a.id < b.id }
}

/// Where a candidate stands in a full audit sample: the one drawn last gives way first.
struct AuditRank: Comparable, Sendable {
    let draw: AuditDraw

    init(_ pooled: PooledCandidate) { draw = AuditDraw(pooled) }

    static func < (a: AuditRank, b: AuditRank) -> Bool { b.draw < a.draw }
}
