import MessageFormat
import Signer
import Upstreams

/// An upstream: whether it can be asked with what is configured, and has the branches that are to be sent. Nothing is
/// fetched, and nothing made.
struct UpstreamChecks {
  let place: Mirror.Place
  let branches: BranchPatterns

  func run(_ examination: inout Examination) {
    let subject = place.settings.url.text
    do {
      try Mirror.requirePrograms(for: place.settings)
      try place.settings.requireFiles()
      let tips = try Mirror(place).tips(branches.all.map(\.fullText)).keys.compactMap {
        BranchName(fullName: $0)
      }
      for pattern in branches.all where !tips.contains(where: pattern.matches) {
        examination.warn(
          .repository, subject, "has no branch \(pattern) yet",
          do: "push it, or correct 'branches:'")
      }
      examination.ok(.repository, subject, "lets us read it")
    } catch {
      examination.fail(.repository, subject, error)
    }
  }
}
