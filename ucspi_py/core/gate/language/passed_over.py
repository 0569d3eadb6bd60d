"""Postfix's parameters that a gate passes over, each with the reason (postconf(5) of 3.7, and later ones).

--check says so; nothing else is made of them, but that others may refer to them.
"""

import re

#: Names that any transport of master.cf has, as in slow_destination_rate_delay. smtpd is none.
_TRANSPORT = re.compile(
    r"(?!smtpd_)[a-zA-Z0-9][\w-]*_(?:"
    r"delivery_slot_(?:cost|discount|loan)|destination_concurrency_(?:failed_cohort_)?limit"
    r"|destination_concurrency_(?:negative|positive)_feedback|destination_rate_delay|destination_recipient_limit"
    r"|extra_recipient_limit|initial_destination_concurrency|minimum_delivery_slots|recipient_limit"
    r"|recipient_refill_(?:delay|limit)|time_limit|transport_rate_delay)",
    re.ASCII,
)
#: Of these programs every parameter is passed over.
_PREFIXES = (
    *("tlsproxy_", "qmgr_", "qmqpd_", "lmtpd_", "address_verify_"),
    *("postmulti_", "multi_instance_"),
)
_QUEUE = """
    2bounce_notice_recipient alias_database alias_maps allow_mail_to_commands allow_mail_to_files allow_min_user
    allow_srv_lookup_fallback alternate_config_directories always_add_missing_headers anvil_status_update_time
    append_at_myorigin application_event_drain_time authorized_flush_users authorized_mailq_users
    authorized_submit_users backwards_bounce_logfile_compatibility berkeley_db_create_buffer_size
    berkeley_db_read_buffer_size best_mx_transport biff bounce_notice_recipient bounce_queue_lifetime
    bounce_service_name bounce_size_limit bounce_template_file canonical_classes cleanup_replace_stray_cr_lf
    cleanup_service_name client_connection_rate_service_name command_directory command_execution_directory
    command_expansion_filter config_directory confirm_delay_cleared connection_cache_protocol_timeout
    connection_cache_service_name connection_cache_status_update_time connection_cache_ttl_limit content_filter
    daemon_directory daemon_table_open_error_is_fatal daemon_timeout data_directory debug_peer_level debug_peer_list
    debugger_command default_cache_db_type default_database_type default_delivery_status_filter
    default_filter_nexthop default_privs default_process_limit default_transport default_verp_delimiters
    defer_service_name defer_transports delay_logging_resolution_limit delay_notice_recipient delay_warning_time
    deliver_lock_attempts deliver_lock_delay destination_concurrency_feedback_debug detect_8bit_encoding_header
    disable_dns_lookups disable_mime_output_conversion disable_verp_bounces dnssec_probe dont_remove
    double_bounce_sender duplicate_filter_limit empty_address_default_transport_maps_lookup_key
    empty_address_local_login_sender_maps_lookup_key empty_address_recipient empty_address_relayhost_maps_lookup_key
    enable_idna2003_compatibility enable_long_queue_ids enable_original_recipient enable_threaded_bounces
    error_notice_recipient error_service_name execution_directory_expansion_filter expand_owner_alias
    export_environment fallback_transport fallback_transport_maps fast_flush_domains fast_flush_purge_time
    fast_flush_refresh_time fault_injection_code flush_service_name force_mime_input_conversion fork_attempts
    fork_delay forward_expansion_filter forward_path frozen_delivered_to full_name_encoding_charset hash_queue_depth
    hash_queue_names header_address_token_limit header_from_format helpful_warnings home_mailbox hopcount_limit
    html_directory ignore_mx_lookup_error ignore_srv_lookup_error import_environment in_flow_delay
    initial_destination_concurrency ipc_idle ipc_timeout ipc_ttl lmdb_map_size local_command_shell
    local_delivery_status_filter local_header_rewrite_clients local_login_sender_maps local_transport luser_relay
    mail_owner mail_release_date mail_spool_directory mailbox_command mailbox_command_maps mailbox_defer_errors
    mailbox_delivery_lock mailbox_size_limit mailbox_transport mailbox_transport_maps maildir_defer_errors
    maillog_file maillog_file_compressor maillog_file_permissions maillog_file_prefixes maillog_file_rotate_suffix
    mailq_path manpage_directory masquerade_classes masquerade_domains masquerade_exceptions master_service_disable
    max_idle max_use maximal_backoff_time maximal_queue_lifetime message_drop_headers message_reject_characters
    message_strip_characters meta_directory minimal_backoff_time newaliases_path non_bdb_custom_mapping
    non_bdb_migration_allow_root_prefixes non_bdb_migration_allow_user_prefixes non_bdb_migration_level
    non_bdb_migration_log_redirect non_bdb_migration_service_name non_empty_end_of_header_action notify_classes
    pickup_service_name pipe_delivery_status_filter postlog_service_name postlogd_watchdog_timeout
    prepend_delivered_header process_id process_id_directory process_name propagate_unmatched_extensions
    proxy_read_access_list proxy_read_maps proxy_write_access_list proxy_write_maps proxymap_service_name
    proxywrite_service_name queue_file_attribute_count_limit queue_minfree queue_run_delay queue_service_name
    readme_directory recipient_canonical_classes relay_transport relayhost relocated_maps
    relocated_prefix_enable remote_header_rewrite_domain require_home_directory reset_owner_alias
    resolve_dequoted_address resolve_null_domain resolve_numeric_domain rewrite_service_name sample_directory
    send_cyrus_sasl_authzid sender_based_routing sender_canonical_classes sender_dependent_default_transport_maps
    sender_dependent_relayhost_maps sendmail_fix_line_endings sendmail_path server_acl service_name
    service_throttle_time setgid_group shlib_directory showq_service_name socketmap_max_query_size
    socketmap_max_reply_size stale_lock_time strict_7bit_headers strict_8bitmime strict_8bitmime_body
    strict_mailbox_ownership strict_mime_encoding_domain sun_mailtool_compatibility syslog_facility syslog_name
    tcp_windowsize trace_service_name transport_maps transport_null_address_lookup_key transport_retry_time
    trigger_timeout undisclosed_recipients_header use_srv_lookup verp_delimiter_filter
    virtual_alias_address_length_limit virtual_alias_expansion_limit virtual_alias_recursion_limit
    virtual_delivery_status_filter virtual_gid_maps virtual_mailbox_base virtual_mailbox_limit virtual_mailbox_lock
    virtual_minimum_uid virtual_transport virtual_uid_maps
    """
_TLS = """
    openssl_path relay_clientcerts requiretls_enable requiretls_esmtp_header requiretls_redact_dsn
    smtpd_client_new_tls_session_rate_limit smtpd_tls_CApath smtpd_tls_always_issue_session_ids
    smtpd_tls_ccert_verifydepth smtpd_tls_dcert_file smtpd_tls_dh1024_param_file smtpd_tls_dh512_param_file
    smtpd_tls_dkey_file smtpd_tls_eecdh_grade smtpd_tls_enable_rpk smtpd_tls_fingerprint_digest smtpd_tls_loglevel
    smtpd_tls_loglevel_maps smtpd_tls_received_header smtpd_tls_session_cache_database
    smtpd_tls_session_cache_timeout smtpd_tls_trace_size_limit tls_append_default_CA tls_config_file tls_config_name
    tls_daemon_random_bytes tls_dane_digests tls_disable_workarounds tls_eecdh_auto_curves tls_eecdh_strong_curve
    tls_eecdh_ultra_curve tls_export_cipherlist tls_fast_shutdown_enable tls_ffdhe_auto_groups
    tls_legacy_public_key_fingerprints tls_low_cipherlist tls_null_cipherlist tls_preempt_cipherlist
    tls_random_bytes tls_random_exchange_name tls_random_prng_update_period tls_random_reseed_period
    tls_random_source tls_required_enable tls_session_ticket_cipher tls_ssl_options tls_trace_rate_limit
    tls_trust_server_ccerts tls_wildcard_matches_multiple_labels tlsmgr_service_name
    """
_AUTH = "smtpd_sasl_authenticated_header"
_POSTSCREEN = """
    dnsblog_reply_delay dnsblog_service_name postscreen_access_list postscreen_allowlist_interfaces
    postscreen_bare_newline_action postscreen_bare_newline_enable postscreen_bare_newline_ttl
    postscreen_cache_cleanup_interval postscreen_cache_map postscreen_cache_retention_time
    postscreen_client_connection_count_limit postscreen_command_count_limit postscreen_command_filter
    postscreen_denylist_action postscreen_disable_vrfy_command postscreen_discard_ehlo_keyword_address_maps
    postscreen_discard_ehlo_keywords postscreen_dnsbl_action postscreen_dnsbl_allowlist_threshold
    postscreen_dnsbl_enable postscreen_dnsbl_max_ttl postscreen_dnsbl_min_ttl postscreen_dnsbl_reply_map
    postscreen_dnsbl_sites postscreen_dnsbl_threshold postscreen_dnsbl_timeout postscreen_enforce_tls
    postscreen_expansion_filter postscreen_forbidden_commands postscreen_greet_action postscreen_greet_banner
    postscreen_greet_enable postscreen_greet_ttl postscreen_greet_wait postscreen_helo_required
    postscreen_non_smtp_command_action postscreen_non_smtp_command_enable postscreen_non_smtp_command_ttl
    postscreen_pipelining_action postscreen_pipelining_enable postscreen_pipelining_ttl postscreen_post_queue_limit
    postscreen_pre_queue_limit postscreen_reject_footer postscreen_reject_footer_maps postscreen_starttls_timeout
    postscreen_tls_CAfile postscreen_tls_CApath postscreen_tls_always_issue_session_ids postscreen_tls_ask_ccert
    postscreen_tls_ccert_verifydepth postscreen_tls_cert_file postscreen_tls_chain_files postscreen_tls_ciphers
    postscreen_tls_dcert_file postscreen_tls_dh1024_param_file postscreen_tls_dh512_param_file
    postscreen_tls_dkey_file postscreen_tls_eccert_file postscreen_tls_eckey_file postscreen_tls_eecdh_grade
    postscreen_tls_enable_rpk postscreen_tls_exclude_ciphers postscreen_tls_fingerprint_digest
    postscreen_tls_key_file postscreen_tls_loglevel postscreen_tls_loglevel_maps postscreen_tls_mandatory_ciphers
    postscreen_tls_mandatory_exclude_ciphers postscreen_tls_mandatory_protocols postscreen_tls_protocols
    postscreen_tls_req_ccert postscreen_tls_security_level postscreen_tls_trace_size_limit
    postscreen_upstream_proxy_protocol postscreen_upstream_proxy_timeout postscreen_use_tls
    postscreen_watchdog_timeout
    """
_MILTER = """
    internal_mail_filter_classes non_smtpd_milters
    """
_CALLOUT = """
    unverified_recipient_defer_code unverified_recipient_reject_code unverified_recipient_reject_reason
    unverified_recipient_tempfail_action unverified_sender_defer_code unverified_sender_reject_code
    unverified_sender_reject_reason unverified_sender_tempfail_action
    """
_SMTPD = """
    dns_ncache_ttl_fix_enable inet_protocols info_log_address_format known_tcp_ports mail_version
    maps_rbl_domains mynetworks_style permit_mx_backup_networks respectful_logging
    smtpd_authorized_verp_clients smtpd_authorized_xforward_hosts smtpd_client_ipv4_prefix_length
    smtpd_client_ipv6_prefix_length smtpd_client_port_logging smtpd_delay_open_until_valid_rcpt
    smtpd_etrn_restrictions smtpd_expansion_filter smtpd_hide_client_session smtpd_history_flush_threshold
    smtpd_log_access_permit_actions smtpd_per_request_deadline smtpd_proxy_ehlo smtpd_proxy_options
    smtpd_proxy_timeout smtpd_service_name smtpd_upstream_proxy_timeout smtputf8_autodetect_classes stress
    strict_smtputf8
    """
_LEGACY = """
    authorized_verp_clients fallback_relay lmtp_per_record_deadline postscreen_blacklist_action postscreen_dnsbl_ttl
    postscreen_dnsbl_whitelist_threshold postscreen_whitelist_interfaces smtp_per_record_deadline
    smtpd_client_connection_limit_exceptions smtpd_per_record_deadline smtpd_sasl_application_name
    tlsproxy_client_level tlsproxy_client_policy virtual_maps
    """
#: Behind smtp_ and lmtp_.
_CLIENT = """
    address_preference address_verify_target always_send_ehlo assume_final balance_inet_protocols bind_address
    bind_address6 bind_address_enforce body_checks cache_connection cname_overrides_servername connect_timeout
    connection_cache_destinations connection_cache_on_demand connection_reuse_count_limit data_done_timeout
    data_init_timeout data_xfer_timeout defer_if_no_mx_address_found delivery_status_filter
    discard_ehlo_keyword_address_maps discard_ehlo_keywords discard_lhlo_keyword_address_maps discard_lhlo_keywords
    dns_reply_filter dns_resolver_options dns_support_level enforce_tls fallback_relay generic_maps header_checks
    helo_name helo_timeout host_lookup lhlo_name lhlo_timeout line_length_limit log_tls_feature_status mail_timeout
    mime_header_checks min_data_rate mx_address_limit mx_session_limit nested_header_checks never_send_ehlo
    per_request_deadline pix_workaround_delay_time pix_workaround_maps pix_workaround_threshold_time pix_workarounds
    quit_timeout quote_rfc821_envelope randomize_addresses rcpt_timeout reply_filter requiretls_policy rset_timeout
    sasl_auth_cache_name sasl_auth_cache_time sasl_auth_enable sasl_auth_soft_bounce sasl_mechanism_filter
    sasl_password_maps sasl_password_result_delimiter sasl_path sasl_security_options sasl_tls_security_options
    sasl_tls_verified_security_options sasl_type send_dummy_mail_auth send_xforward_command
    sender_dependent_authentication skip_5xx_greeting skip_quit_response starttls_timeout tcp_port tls_CAfile
    tls_CApath tls_block_early_mail_reply tls_cert_file tls_chain_files tls_ciphers tls_connection_reuse
    tls_dane_insecure_mx_policy tls_dcert_file tls_dkey_file tls_eccert_file tls_eckey_file tls_enable_rpk
    tls_enforce_peername tls_enforce_sts_mx_patterns tls_exclude_ciphers tls_fingerprint_cert_match
    tls_fingerprint_digest tls_force_insecure_host_tlsa_lookup tls_key_file tls_loglevel tls_loglevel_maps
    tls_mandatory_ciphers tls_mandatory_exclude_ciphers tls_mandatory_protocols tls_note_starttls_offer tls_per_site
    tls_policy_maps tls_protocols tls_scert_verifydepth tls_secure_cert_match tls_security_level tls_servername
    tls_session_cache_database tls_session_cache_timeout tls_trace_size_limit tls_trust_anchor_file
    tls_verify_cert_match tls_wrappermode tlsrpt_enable tlsrpt_skip_reused_handshakes tlsrpt_socket_name use_tls
    xforward_timeout
    """

_REASONS = {
    **dict.fromkeys(_QUEUE.split(), "it belongs to the queue and its deliveries"),
    **dict.fromkeys(_TLS.split(), "it changes nothing of the gate's TLS"),
    **dict.fromkeys(_AUTH.split(), "the program writes the header, and is told the user by TCPREMOTEINFO"),
    **dict.fromkeys(_POSTSCREEN.split(), "it belongs to postscreen, and pyrblsmtpd has its place"),
    **dict.fromkeys(_MILTER.split(), "the gate asks milters about mail that comes by SMTP alone"),
    **dict.fromkeys(_CALLOUT.split(), "the gate asks no other server about an address"),
    **dict.fromkeys(_SMTPD.split(), "it changes nothing that a gate does"),
    **dict.fromkeys(_LEGACY.split(), "it is the old name of another"),
    **dict.fromkeys(
        (f"{client}_{name}" for client in ("smtp", "lmtp") for name in _CLIENT.split()),
        "it belongs to mail that is sent",
    ),
}
NAMES = tuple(_REASONS)

#: The text of those that something refers to.
DEFAULTS = {
    "alias_maps": "",
    "authorized_verp_clients": "$mynetworks",
    "config_directory": "/etc/postfix",
    "daemon_directory": "/usr/lib/postfix/sbin",
    "data_directory": "/var/lib/postfix",
    "default_database_type": "hash",
    "mail_version": "3.7.11",
    "meta_directory": "/etc/postfix",
    "postscreen_dnsbl_action": "ignore",
    "postscreen_dnsbl_sites": "",
    "postscreen_dnsbl_threshold": "1",
    "postscreen_greet_action": "ignore",
    "postscreen_greet_wait": "6s",
    "shlib_directory": "/usr/lib/postfix",
    "smtpd_client_connection_limit_exceptions": "",
    "smtpd_tls_CApath": "",
    "stress": "",
    "virtual_maps": "",
}


def reason(name: str) -> str | None:
    """Tell why a parameter is passed over; None = it is not."""
    if name in _REASONS:
        return _REASONS[name]
    return _REASONS["queue_run_delay"] if name.startswith(_PREFIXES) or _TRANSPORT.fullmatch(name) else None
