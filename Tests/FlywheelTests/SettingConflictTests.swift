import Acquisition
import Flywheel
import Labeling
import Strategies
import Testing
import Vocabulary

@Suite("Conflicts between settings")
struct SettingConflictTests {
    private func conflicts(
        labeling: LabelingPolicy = LabelingPolicy(),
        _ change: (inout AcquisitionPolicy) -> Void = { _ in }
    ) -> [[String]] {
        var policy = AcquisitionPolicy()
        change(&policy)
        let schema = LabelSchema(question: "Which?", classes: ["a", "b"])
        let project = ProjectConfiguration(
            project: ProjectID("p"),
            revision: 1,
            partition: 0,
            schema: schema,
            acquisition: policy,
            labeling: labeling
        )
        return project.settingConflicts.map(\.keys)
    }

    @Test("The defaults have no conflict, and each conflict is reported with its keys")
    func pairs() {
        #expect(conflicts().isEmpty)
        #expect(conflicts { $0.auditCutoff = 0 } == [["acquisition.audit_share", "acquisition.audit_cutoff"]])
        #expect(conflicts { $0.auditCutoff = 1 } == [["acquisition.audit_cutoff"]])
        #expect(conflicts { $0.auditShare = 0 } == [["acquisition.audit_share"]])
        #expect(conflicts { $0.explorationShare = 1 } == [["acquisition.exploration_share"]])
        let trigger = Trigger(name: "t", condition: .sample(0.1))
        #expect(
            conflicts {
                $0.triggers = [trigger]
                $0.triggerShare = 0
            } == [["acquisition.triggers", "acquisition.trigger_share"]]
        )
        #expect(
            conflicts { $0.votes = 24 }.flatMap { $0 } == [
                "acquisition.votes_per_window", "labeling.maximum_votes", "acquisition.batch_size",
                "acquisition.audit_first", "acquisition.votes_per_window",
            ]
        )
        var labeling = LabelingPolicy()
        labeling.ageingEvery = labeling.lifetime
        #expect(conflicts(labeling: labeling) == [["labeling.ageing_every", "labeling.lifetime"]])
    }
}
