import Host
import Reporting

/// Whether code hosts take our statuses, and people our notices: each server is asked a harmless question.
struct ReportingChecks {
  let settings: ReportingSettings
  /// Of the signer.
  let state: String

  func run(_ examination: inout Examination) {
    for target in settings.statuses { check(target, &examination) }
    for route in settings.notices { check(route, &examination) }
    do {
      for trouble in try ReportingSummary(settings, signerState: state).troubles
      where trouble.kind == .notTold {
        examination.warn(
          .status, trouble.subject, trouble.text,
          do: "correct what it says; what waits is told by itself then")
      }
    } catch {
      examination.fail(.state, state + "/reporting", error)
    }
  }

  private func check(_ target: StatusTarget, _ examination: inout Examination) {
    let subject = "\(target.remote) at \(target.api.host)"
    do {
      try ReportingProbe.check(target)
      examination.ok(.status, subject, "the host knows \(target.project) and takes the token")
    } catch {
      examination.fail(.status, subject, error)
    }
  }

  private func check(_ route: NoticeRoute, _ examination: inout Examination) {
    do {
      examination.ok(.notice, route.name, try ReportingProbe.check(route))
    } catch {
      examination.fail(.notice, route.name, error)
    }
  }
}
