import Events
import Flywheel
import Foundation
import JSON
import Rollout
import Testing
import Vocabulary

@Suite struct EnvelopeTests {
    @Test(
        "Times are written in the format of RFC 3339",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"),
            (1, "1970-01-01T00:00:00.001Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (-86_400_000, "1969-12-31T00:00:00.000Z"),
            (-86_400_001, "1969-12-30T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_799_999, "2000-02-29T23:59:59.999Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_709_164_800_123, "2024-02-29T00:00:00.123Z"),
            (1_767_225_600_250, "2026-01-01T00:00:00.250Z"),
            (-2_203_977_600_000, "1900-02-28T00:00:00.000Z"),
            (-2_203_891_200_000, "1900-03-01T00:00:00.000Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)]
    )
    func times(milliseconds: Int64, text: String) {
        #expect(RFC3339.text(milliseconds: milliseconds) == text)
    }

    @Test("Times that the format cannot represent are clamped")
    func extremes() {
        #expect(RFC3339.text(milliseconds: .max) == "9999-12-31T23:59:59.999Z")
        #expect(RFC3339.text(milliseconds: .min) == "0001-01-01T00:00:00.000Z")
    }

    @Test("Every day over four centuries is written as the day after the previous one")
    func calendar() {
        func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
        func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        var day: Int64 = 0
        for year in 1970..<2370 {
            let lengths = [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            for (month, length) in lengths.enumerated() {
                for date in 1...length {
                    let expected = "\(year)-\(twoDigits(month + 1))-\(twoDigits(date))T12:34:56.789Z"
                    let found = RFC3339.text(milliseconds: day * 86_400_000 + 45_296_789)
                    if found != expected { Issue.record("expected \(expected), found \(found)") }
                    day += 1
                }
            }
        }
    }

    @Test("Headers follow CloudEvents 1.0 in Kafka's binary mode")
    func headers() {
        let full = CloudEventHeaders(
            id: "digits-7-0",
            source: "flywheel/digits/loop",
            type: "io.flywheel.task.opened.v1",
            time: 0,
            correlation: "s1",
            causation: "digits-7"
        )
        #expect(
            full.pairs.map { "\($0.0)=\($0.1)" } == [
                "ce_specversion=1.0", "ce_id=digits-7-0", "ce_source=flywheel/digits/loop",
                "ce_type=io.flywheel.task.opened.v1", "ce_time=1970-01-01T00:00:00.000Z",
                "content-type=application/json",
                "ce_correlationid=s1", "ce_causationid=digits-7",
            ]
        )
        let bare = CloudEventHeaders(id: "a", source: "b", type: "c", time: 0, correlation: nil, causation: nil)
        #expect(!bare.pairs.contains { $0.0 == "ce_correlationid" || $0.0 == "ce_causationid" })
        // CloudEvents: attribute names are lower-case letters and digits.
        for (name, _) in full.pairs where name.hasPrefix("ce_") {
            #expect(name.dropFirst(3).allSatisfy { $0.isLowercase || $0.isNumber })
        }
    }

    @Test("A decision is published to the topic, and with the key and type, that the reference names")
    func decisions() throws {
        let question = SchemaFiles.question
        let sample = Sample(id: SampleID("s1"), embedding: [1, 2])
        let reason = SelectionReason(
            strategy: "margin",
            score: 0.5,
            scoredBy: nil,
            predicted: nil,
            inclusionProbability: nil
        )
        func task(_ state: LabelingTask.State) -> LabelingTask {
            LabelingTask(
                id: TaskID("digits-7-0"),
                sample: sample,
                question: question,
                state: state,
                votesWanted: 1,
                votes: 0,
                priority: 0.5,
                purpose: .acquisition,
                reason: reason,
                openedAt: StreamTime(milliseconds: 1),
                expiresAt: StreamTime(milliseconds: 2)
            )
        }
        func encode(_ body: Decision.Body) -> EncodedDecision {
            EncodedDecision(
                Decision(id: "digits-7-1", body: body),
                project: ProjectID("digits"),
                question: question,
                time: StreamTime(milliseconds: 5),
                entryNumber: 7
            )
        }
        let open = encode(.task(task(.open)))
        #expect(open.topic == .labelingTasks)
        #expect(open.key == "digits-7-0")
        #expect(open.headers.type == "io.flywheel.task.opened.v1")
        #expect(open.headers.correlation == "s1")
        #expect(open.headers.causation == "digits-7")
        #expect(open.headers.id == "digits-7-1")
        #expect(!String(decoding: open.value, as: UTF8.self).contains("embedding"))
        #expect(encode(.task(task(.closed(.expired)))).headers.type == "io.flywheel.task.closed.v1")

        let notice = encode(.notice(Notice(kind: .budgetExhausted, text: "t")))
        #expect(notice.topic == .notices)
        #expect(notice.key == "digits")
        #expect(notice.headers.correlation == nil)

        for code in EntryRejection.Code.allCases {
            let refused = encode(.refused(EntryRejection(code, "why")))
            #expect(refused.topic == (code.isDeadLetter ? .deadLetters : nil))
            #expect(refused.refusal?.code == code)
        }
    }

    @Test("The reference names every event type of a decision")
    func documentedTypes() throws {
        let reference = SchemaFiles.root.deletingLastPathComponent().appendingPathComponent("docs/reference/events.md")
        let text = try String(contentsOf: reference, encoding: .utf8)
        let model = ReleasedModel(
            version: ModelVersion("v1"),
            artifact: ArtifactReference(uri: "file:///m", size: 1, sha256: String(repeating: "0", count: 64)),
            datasetVersionNumber: 1,
            newestSampleAt: StreamTime(milliseconds: 0)
        )
        for cause in ModelRelease.Cause.allCases {
            let release = ModelRelease(
                cause: cause,
                champion: model,
                challenger: nil,
                replaced: nil,
                quarantined: [],
                evidence: .none
            )
            let encoded = EncodedDecision(
                Decision(id: "p-1-0", body: .release(release)),
                project: ProjectID("p"),
                question: SchemaFiles.question,
                time: StreamTime(milliseconds: 0),
                entryNumber: 1
            )
            let line = text.split(separator: "\n").first { $0.contains("`\(encoded.headers.type)`") }
            #expect(line != nil, "\(encoded.headers.type) is not in the reference")
        }
        let transition = ModelTransition(
            version: model.version,
            from: nil,
            to: .live,
            cause: .release(.first),
            evidence: .none
        )
        let encoded = EncodedDecision(
            Decision(id: "p-1-0", body: .transition(transition, under: try SchemaFiles.configuration())),
            project: ProjectID("p"),
            question: SchemaFiles.question,
            time: StreamTime(milliseconds: 7),
            entryNumber: 1
        )
        #expect(encoded.topic == .releaseLog && encoded.key == "p" && encoded.headers.correlation == "v1")
        #expect(text.contains("`\(encoded.headers.type)`"))
    }

    @Test("A transition states its time, entry, revision and policy digest, which changes with the policy")
    func transitions() throws {
        let configuration = try SchemaFiles.configuration()
        var other = configuration.rollout
        other.alpha = 0.2
        let digest = ReleaseLogRecord.digest(of: configuration.rollout)
        #expect(digest.utf8.count == 64 && digest != ReleaseLogRecord.digest(of: other))
        for cause in ModelTransition.Cause.allCases {
            #expect(ModelTransition.Cause(rawValue: cause.rawValue) == cause)
            let transition = ModelTransition(
                version: ModelVersion("v2"),
                from: .shadow,
                to: .superseded,
                cause: cause,
                by: "ada",
                reason: "r",
                replacedBy: ModelVersion("v3"),
                evidence: .none
            )
            let encoded = EncodedDecision(
                Decision(id: "digits-9-1", body: .transition(transition, under: configuration)),
                project: ProjectID("digits"),
                question: SchemaFiles.question,
                time: StreamTime(milliseconds: 7),
                entryNumber: 9
            )
            let read = try JSONParser().withDocument(of: encoded.value) { try ReleaseLogRecord(json: $0) }
            let expected = ReleaseLogRecord(
                transition: transition,
                at: StreamTime(milliseconds: 7),
                entryNumber: 9,
                revision: configuration.revision,
                policyDigest: digest
            )
            #expect(read == expected)
        }
    }

    @Test("Times in RFC 3339 are read with any zone and fraction")
    func readTimes() {
        for milliseconds in stride(from: Int64(-62_135_596_800_000), through: 253_402_300_799_999, by: 91_234_567_891) {
            #expect(RFC3339.milliseconds(of: RFC3339.text(milliseconds: milliseconds)) == milliseconds)
        }
        let noon: Int64 = 1_772_366_400_000
        for text in [
            "2026-03-01T12:00:00Z", "2026-03-01t12:00:00z", "2026-03-01 13:30:00+01:30", "2026-03-01T11:00:00.0-01:00",
            "2026-02-28T23:00:00-13:00",
        ] {
            #expect(RFC3339.milliseconds(of: text) == noon, "\(text)")
        }
        #expect(RFC3339.milliseconds(of: "2026-03-01T12:00:00.2509Z") == noon + 250)
        #expect(RFC3339.milliseconds(of: "2026-03-01T12:00:00.2509999999999999999999Z") == noon + 250)
        #expect(RFC3339.milliseconds(of: "2024-02-29T00:00:00Z") != nil)
        for text in [
            "", "yesterday", "2026-03-01", "2026-03-01T12:00Z", "2026-03-01T12:00:00", "2026-02-29T12:00:00Z",
            "2026-13-01T12:00:00Z", "2026-03-00T12:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:60:00Z",
            "2026-03-01T12:00:00.Z", "2026-03-01T12:00:00+0100", "2026-03-01T12:00:00Z ", "26-03-01T12:00:00Z",
            "2026-03-01T12:00:00+24:00", "٢026-03-01T12:00:00Z", "1772366400000",
        ] {
            #expect(RFC3339.milliseconds(of: text) == nil, "\(text)")
        }
    }
}
