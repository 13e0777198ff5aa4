package import Logging

extension Logger {
  /// The only way to log: the event has its level and its sentence. Fields with numbers are `.number`, so that JSON has
  /// numbers; the names `time`, `level`, `event`, `text` and `role` belong to the line itself.
  package func report(_ event: Event, _ fields: Logger.Metadata = [:]) {
    log(
      level: event.level, "\(event.sentence)",
      metadata: fields.merging(["event": "\(event.rawValue)"]) { $1 })
  }
}

extension Logger.MetadataValue {
  /// A number that stays one in JSON.
  package static func number(_ value: some BinaryInteger) -> Self {
    .stringConvertible(Int64(clamping: value))
  }
}
