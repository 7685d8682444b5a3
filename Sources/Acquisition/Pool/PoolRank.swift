internal import Tables
internal import Vocabulary

/// Eviction rank of a candidate in a pool: the lowest rank is evicted first.
struct PoolRank: Comparable, Sendable {
    /// Whether the quota of its slice has free capacity: a candidate that waits for a quota must not displace one that
    /// does not.
    let hasRoom: Bool
    /// 0 for a candidate that waits like any other, else the higher the later it is selected.
    let setAside: Int
    let versionNumber: Int
    let score: Double
    let id: SampleID

    init(_ pooled: PooledCandidate, _ quotas: SliceQuotas?) {
        hasRoom = quotas?.hasRoom(pooled.candidate.sample) ?? true
        setAside = pooled.setAside?.order ?? 0
        versionNumber = pooled.modelVersionNumber
        score = pooled.score
        id = pooled.candidate.sample.id
    }

    static func < (a: PoolRank, b: PoolRank) -> Bool {
        if a.setAside != b.setAside { return a.setAside > b.setAside }
        if a.hasRoom != b.hasRoom { return b.hasRoom }
        if a.versionNumber != b.versionNumber { return a.versionNumber < b.versionNumber }
        return a.score != b.score ? a.score < b.score : a.id > b.id
    }
}

/// Order of the audit draws: by draw, and by id for equal draws.
struct AuditDrawOrder: Comparable, Sendable {
    let draw: Double
    let id: SampleID

    init(_ pooled: PooledCandidate) {
        draw = pooled.candidate.auditDraw
        id = pooled.candidate.sample.id
    }

    static func < (a: AuditDrawOrder, b: AuditDrawOrder) -> Bool { a.draw != b.draw ? a.draw < b.draw : a.id < b.id }
}

/// Eviction rank of a candidate in a full audit sample: the one drawn last is evicted first.
struct AuditRank: Comparable, Sendable {
    let draw: AuditDrawOrder

    init(_ pooled: PooledCandidate) { draw = AuditDrawOrder(pooled) }

    static func < (a: AuditRank, b: AuditRank) -> Bool { b.draw < a.draw }
}
