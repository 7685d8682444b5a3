/// Back-pressure, and what is the matter while nothing can be read.
extension StreamTask {
    /// Why nothing can be read at the moment, or written for want of a right; nil as far as is known.
    public var trouble: StreamError? { consumer.trouble ?? refusal }

    func tellTrouble() {
        let trouble = consumer.trouble
        guard (trouble != nil) != isTroubled else { return }
        isTroubled = trouble != nil
        environment.observe(trouble.map { .unreachable($0) } ?? .reachable)
    }

    /// Stops fetching while the stage has enough to do. Polling goes on, and with it the membership in the group.
    func hold() throws(StreamError) {
        let isFull = stage.isFull
        guard isFull != isHolding, !owned.isEmpty else { return }
        let partitions = assignment
        if isFull {
            try retrying { () throws(StreamError) in try self.consumer.pause(partitions) }
        } else {
            try retrying { () throws(StreamError) in try self.consumer.resume(partitions) }
        }
        isHolding = isFull
        environment.observe(isFull ? .paused(partitions) : .resumed(partitions))
    }
}
