public import Acquisition
public import Datasets
public import Flywheel
public import Forms
public import JSON
public import Labeling
public import Rollout
public import Training
public import Vocabulary

/// The JSON form of what is described by its own module.
extension JSONCodable where Self: Formed {
    public init(json: JSONValue) throws(JSONError) {
        var fields = JSONFormReader<Self>(try json.object())
        try self.init(fields: &fields)
    }

    public func write(to writer: inout JSONWriter) {
        var sink = JSONFormSink(writer: writer)
        writer = JSONWriter(capacity: 0)
        sink.form(self)
        writer = sink.writer
    }
}

extension AcquisitionPolicy: JSONCodable {}
extension BatchPolicy: JSONCodable {}
extension DatasetPolicy: JSONCodable {}
extension LabelSchema: JSONCodable {}
extension LabelingPolicy: JSONCodable {}
extension ProjectConfiguration: JSONCodable {}
extension Recipe: JSONCodable {}
extension RolloutPolicy: JSONCodable {}
extension TrainingPolicy: JSONCodable {}
extension VoteCost: JSONCodable {}
