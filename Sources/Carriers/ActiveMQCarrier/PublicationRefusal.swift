package import MessageFormat
package import STOMP

/// What an ERROR about a publication means. A broker says it in words alone: what is not known is a fault, and tried again.
package struct PublicationRefusal {
  package let reason: CarrierRefusal
  package let detail: String

  package init(_ frame: STOMPFrame) {
    detail = frame.complaint
    let kind = String(decoding: (frame.body ?? []).prefix(200), as: UTF8.self)
    reason =
      if detail.contains("not authorized to create") {
        .unknownMailbox
      } else if detail.contains("not authorized") || detail.contains("access_refused") {
        .notAllowed
      } else if kind.contains("ResourceAllocationException") || detail.contains("is Full")
        || detail.contains("limit reached")
      {
        .overQuota
      } else {
        .fault
      }
  }
}
